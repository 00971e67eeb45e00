/* Which of the two readers a text is for. */
#include "data/tokens.h"

#include <unistd.h>

#include "data/tokens_internal.h"
#include "data/yaml_internal.h"

static bool ignore_token(void *arg, const Token *token, Error *err)
{
	(void)arg;
	(void)token;
	(void)err;
	return true;
}

static bool rewind_fd(int fd, Error *err)
{
	return lseek(fd, 0, SEEK_SET) == 0 || err_errno(err, "rewind");
}

bool tokens_are_json(int fd, bool *out, Error *err)
{
	autoerror Error no_json = {0};
	if (!rewind_fd(fd, err))
		return false;
	*out = tokens_read_json(fd, ignore_token, NULL, &no_json);
	if (!*out && no_json.code == ERR_IO)
		return err_move(err, &no_json);
	return true;
}

bool tokens_read(int fd, bool is_json, TokenSink *sink, void *arg, Error *err)
{
	return rewind_fd(fd, err) && (is_json ? tokens_read_json(fd, sink, arg, err)
					      : tokens_read_yaml(fd, sink, arg, err));
}

json_t *token_value(const Token *token)
{
	YamlScalar scalar = {.type = YAML_STR};
	if (token->kind == TOKEN_PLAIN) {
		yaml_resolve(token->text, &scalar);
		yaml_resolve_old(token->text, &scalar);
	}
	switch (scalar.type) {
	case YAML_NULL:
		return json_null();
	case YAML_BOOL:
		return json_boolean(scalar.flag);
	case YAML_INT:
		return json_integer(scalar.integer);
	case YAML_FLOAT: {
		json_t *real = json_real(scalar.real);
		if (real)
			return real;
		break; /* .inf and .nan are no JSON */
	}
	case YAML_STR:
	case YAML_TIMESTAMP:
		break;
	}
	return json_text_new(token->text.ptr, token->text.len);
}
