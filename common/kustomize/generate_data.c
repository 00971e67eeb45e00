#include "kustomize/generate_data.h"

#include "base/mem.h"
#include "base/path.h"
#include "base/rune.h"
#include "data/base64.h"
#include "kustomize/load.h"

/* Values never show in errors: they may be secret. */

enum { LINE_MAX_BYTES = 64 * 1024, BASE64_LINE = 70 };

typedef struct {
	const KTarget *target;
	json_t *object;
	bool secret;
	const char *name; /* for errors */
} Data;

/* Broken every 70 characters, with an end to every line, as soon as there are 70 [Q] (B43). */
static char *encode(Str value)
{
	autofree char *flat = base64_encode(value.ptr, value.len);
	size_t len = strlen(flat);
	if (len < BASE64_LINE)
		return steal(&flat);
	autobuf Buf out = {0};
	for (size_t at = 0; at < len; at += BASE64_LINE) {
		buf_add(&out, str_slice(str_of(flat), at, at + BASE64_LINE));
		buf_putc(&out, '\n');
	}
	return buf_steal(&out);
}

static bool put_pair(Data *data, Str key, Str value, Error *err)
{
	json_t *map = json_make_at(data->object, "data", NULL);
	autofree char *name = str_dup(key);
	if (json_object_get(map, name) ||
	    json_object_get(json_map(data->object, "binaryData"), name))
		return err_set(err, ERR_INVALID, "configmap %s illegally repeats the key `%s`",
			       data->name, name);
	json_t *text = data->secret ? NULL : json_stringn(value.ptr, value.len);
	if (text) {
		json_object_set_new(map, name, text);
		return true;
	}
	autofree char *encoded = encode(value);
	if (!data->secret)
		map = json_make_at(data->object, "binaryData", NULL);
	return json_object_set_new(map, name, json_string_nocheck(encoded)) == 0 ||
	       err_set(err, ERR_INVALID, "a key of %s is not UTF-8", data->name);
}

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static bool put_env_line(Data *data, Str line, Error *err)
{
	while (line.len > 0 && is_blank(*line.ptr))
		line = str_slice(line, 1, line.len);
	if (line.len == 0 || *line.ptr == '#')
		return true;
	Str key, value;
	if (!str_cut(line, '=', &key, &value))
		value = (Str){"", 0};
	return key.len == 0 || put_pair(data, key, value, err);
}

static bool put_env_file(Data *data, const char *path, Error *err)
{
	autobuf Buf text = {0};
	if (!kload_text(data->target, path, &text, err))
		return err_wrap(err, "env source files");
	Str rest = buf_str(&text), line;
	if (str_starts(rest, STR("\xef\xbb\xbf")))
		rest = str_slice(rest, 3, rest.len);
	for (size_t number = 1; str_next(&rest, '\n', &line); number++) {
		if (line.len >= LINE_MAX_BYTES)
			return true; /* [Q] as upstream's scanner, silently */
		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (!rune_all_valid(line))
			return err_set(err, ERR_INVALID, "%s:%zu: invalid utf8 bytes", path,
				       number);
		if (!put_env_line(data, line, err))
			return err_wrap(err, "%s:%zu", path, number);
	}
	return true;
}

static bool put_literal(Data *data, const char *literal, Error *err)
{
	Str key, value;
	if (!str_cut(str_of(literal), '=', &key, &value) || key.len == 0)
		return err_set(err, ERR_INVALID, "invalid literal source, expected key=value");
	char first = value.len > 1 ? value.ptr[0] : '\0';
	if ((first == '"' || first == '\'') && value.ptr[value.len - 1] == first)
		value = str_slice(value, 1, value.len - 1);
	return put_pair(data, key, value, err);
}

static bool put_file(Data *data, const char *source, Error *err)
{
	Str key, path;
	if (!str_cut(str_of(source), '=', &key, &path)) {
		key = str_of(path_base(source));
		path = str_of(source);
	} else if (key.len == 0 || path.len == 0) {
		return err_set(err, ERR_INVALID, "missing %s in file source '%s'",
			       key.len == 0 ? "key name" : "file path", source);
	} else if (str_find_char(path, '=') >= 0) {
		return err_set(err, ERR_INVALID, "source '%s' key name or file path contains '='",
			       source);
	}
	autofree char *name = str_dup(path);
	autobuf Buf text = {0};
	return kload_text(data->target, name, &text, err) &&
	       put_pair(data, key, buf_str(&text), err);
}

static bool put_all(Data *data, const json_t *list, bool (*put)(Data *, const char *, Error *),
		    Error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!put(data, json_string_value(json_array_get(list, i)), err))
			return err_wrap(err, "loading KV pairs");
	return true;
}

bool generate_data(const KTarget *target, const json_t *entry, json_t *object, Error *err)
{
	Data data = {target, object, cstr_eq(json_text(object, "kind"), "Secret"),
		     json_text_or(entry, "name", "")};
	if (!put_all(&data, json_list(entry, "envs"), put_env_file, err) ||
	    !put_all(&data, json_list(entry, "literals"), put_literal, err) ||
	    !put_all(&data, json_list(entry, "files"), put_file, err))
		return false;
	if (data.secret)
		(void)json_make_at(object, "data", NULL); /* there even when it is empty */
	else if (json_map(object, "data") && json_object_size(json_map(object, "data")) == 0)
		json_object_del(object, "data");
	return true;
}
