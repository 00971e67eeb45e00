#include "kube/secret.h"

#include <stdarg.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "data/base64.h"

struct Secret {
	Map *values; /* key -> Buf */
};

static void free_value(void *value)
{
	Buf *buf = value;
	if (buf->ptr)
		mem_wipe(buf->ptr, buf->cap);
	buf_dispose(buf);
	free(buf);
}

static bool add(Secret *secret, const char *key, const json_t *value, bool encoded, Error *err)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	Buf *buf = mem_zalloc(1, sizeof(*buf));
	map_put(secret->values, key, buf);
	if (!encoded) {
		buf_append(buf, text ? text : "", len);
		return true;
	}
	/* The whole size first: growing would leave copies of the value behind in freed memory. */
	buf_reserve(buf, len);
	if (!base64_decode(text ? text : "", len, buf, err))
		return err_wrap(err, "data.%s", key);
	return true;
}

static bool add_all(Secret *secret, const json_t *values, bool encoded, Error *err)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)values, key, value)
	{
		if (!add(secret, key, value, encoded, err))
			return false;
	}
	return true;
}

Secret *secret_of_object(const json_t *object, Error *err)
{
	autosecret Secret *secret = mem_zalloc(1, sizeof(*secret));
	secret->values = map_new(free_value);
	bool encoded = cstr_eq(object_kind(object), "Secret");
	const json_t *data = json_map(object, "data"), *binary = json_map(object, "binaryData");
	if ((data && !add_all(secret, data, encoded, err)) ||
	    (binary && !add_all(secret, binary, true, err)))
		return err_wrap_null(err, "%s %s/%s", object_kind(object), object_namespace(object),
				     object_name(object));
	return steal(&secret);
}

Secret *secret_get(KubeClient *client, const char *ns, const char *name, Error *err)
{
	autojson json_t *object = kube_get(client, "v1", "Secret", ns, name, err);
	return object ? secret_of_object(object, err) : NULL;
}

void secret_free(Secret *secret)
{
	if (!secret)
		return;
	map_free(secret->values);
	free(secret);
}

const char *secret_text(const Secret *secret, const char *key)
{
	const Buf *buf = secret ? map_get(secret->values, key) : NULL;
	return buf ? buf_text(buf) : NULL;
}

const char *secret_first(const Secret *secret, ...)
{
	va_list args;
	va_start(args, secret);
	const char *key, *value = NULL;
	while (!value && (key = va_arg(args, const char *)))
		value = secret_text(secret, key);
	va_end(args);
	return value;
}

bool secret_bytes(const Secret *secret, const char *key, Str *out)
{
	const Buf *buf = secret ? map_get(secret->values, key) : NULL;
	if (!buf)
		return false;
	*out = buf_str(buf);
	return true;
}

bool secret_next(const Secret *secret, size_t *at, const char **key, Str *value)
{
	void *buf;
	if (!map_next(secret->values, at, key, &buf))
		return false;
	*value = buf_str(buf);
	return true;
}
