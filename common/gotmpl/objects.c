#include "data/base64.h"
#include "gotmpl/encode.h"
#include "gotmpl/functions.h"
#include "gotmpl/objects.h"
#include "gotmpl/time.h"
#include "gotmpl/glob.h"

/* Methods of .Files, .Values, .Capabilities and of times. */

static Str file_bytes(GoCall *call, Str name)
{
	GoValue value;
	if (go_map_get(call_arena(call), call->receiver.map, name, &value))
		return value.text;
	return STR("");
}

static bool files_get(GoCall *call, GoValue *out)
{
	*out = go_text(file_bytes(call, call->args[0].text));
	return true;
}

static bool files_get_bytes(GoCall *call, GoValue *out)
{
	*out = (GoValue){.type = GO_BYTES, .text = file_bytes(call, call->args[0].text)};
	return true;
}

static bool files_glob(GoCall *call, GoValue *out)
{
	Arena *arena = call_arena(call);
	GoMap *from = call->receiver.map, *map = go_map_new(arena, GO_FILES);
	Str pattern = call->args[0].text;
	bool fine = go_glob_valid(pattern);
	for (size_t i = 0; from && i < from->len; i++)
		if (!fine || go_glob_match(pattern, from->members[i].key))
			go_map_put(arena, map, from->members[i].key, from->members[i].value);
	*out = go_map(map);
	return true;
}

static Str base_name(Str path)
{
	size_t at = path.len;
	while (at > 0 && path.ptr[at - 1] != '/')
		at--;
	return str_slice(path, at, path.len);
}

static bool files_as(GoCall *call, bool secret, GoValue *out)
{
	Arena *arena = call_arena(call);
	GoMap *from = call->receiver.map, *map = go_map_new(arena, GO_STRING_MAP);
	autobuf Buf text = {0};
	for (size_t i = 0; from && i < from->len; i++) {
		Str content = from->members[i].value.text;
		autofree char *encoded = secret ? base64_encode(content.ptr, content.len) : NULL;
		if (secret)
			content = str_of(arena_strdup(arena, encoded));
		go_map_put(arena, map, base_name(from->members[i].key), go_text(content));
	}
	*out = go_cstr("");
	/* What YAML cannot hold is no error here. */
	return !encode_yaml(call, go_map(map), &text) || call_return_text(call, &text, out);
}

static bool files_as_config(GoCall *call, GoValue *out)
{
	return files_as(call, false, out);
}

static bool files_as_secrets(GoCall *call, GoValue *out)
{
	return files_as(call, true, out);
}

static bool files_lines(GoCall *call, GoValue *out)
{
	GoValue value, *items;
	size_t count = 1;
	if (!go_map_get(call_arena(call), call->receiver.map, call->args[0].text, &value)) {
		*out = new_list(call, GO_STRINGS, 0, &items);
		return true;
	}
	Str text = value.text;
	if (text.len == 0)
		return call_fail(call, "runtime error: index out of range [-1]");
	if (text.ptr[text.len - 1] == '\n')
		text.len--;
	for (size_t i = 0; i < text.len; i++)
		count += text.ptr[i] == '\n';
	*out = new_list(call, GO_STRINGS, count, &items);
	for (size_t i = 0; i < count; i++) {
		Str line;
		str_cut(text, '\n', &line, &text);
		items[i] = go_text(line);
	}
	return true;
}

const GoFn methods_files[] = {
	{"Get", "s", files_get},
	{"GetBytes", "s", files_get_bytes},
	{"Glob", "s", files_glob},
	{"AsConfig", "", files_as_config},
	{"AsSecrets", "", files_as_secrets},
	{"Lines", "s", files_lines},
	{0},
};

static bool values_as_map(GoCall *call, GoValue *out)
{
	*out = call->receiver;
	out->type = GO_MAP;
	if (go_len(*out) == 0)
		*out = go_map(go_map_new(call_arena(call), GO_MAP));
	out->boxed = false;
	return true;
}

static bool values_yaml(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	if (!encode_yaml(call, call->receiver, &text))
		return false;
	buf_putc(&text, '\n');
	return call_return_text(call, &text, out);
}

/* Walks "a.b.c"; false when a part is no map. */
static bool walk_path(GoCall *call, Str path, GoValue *out)
{
	Str part, rest = path;
	GoValue value = call->receiver;
	while (str_next(&rest, '.', &part)) {
		if (!go_is_map(value) || !go_map_get(call_arena(call), value.map, part, &value))
			return false;
	}
	*out = value;
	return true;
}

static bool values_table(GoCall *call, GoValue *out)
{
	Str path = call->args[0].text;
	if (!walk_path(call, path, out) || !go_is_map(*out))
		return call_fail(call, "\"%.*s\" is not a table", (int)path.len, path.ptr);
	out->type = GO_VALUES;
	return true;
}

static bool values_path_value(GoCall *call, GoValue *out)
{
	Str path = call->args[0].text;
	if (path.len == 0)
		return call_fail(call, "YAML path cannot be empty");
	if (!walk_path(call, path, out) || go_is_map(*out))
		return call_fail(call, "\"%.*s\" is not a value", (int)path.len, path.ptr);
	return true;
}

const GoFn methods_values[] = {
	{"AsMap", "", values_as_map},
	{"YAML", "", values_yaml},
	{"Table", "s", values_table},
	{"PathValue", "s", values_path_value},
	{0},
};

static bool versions_has(GoCall *call, GoValue *out)
{
	*out = go_bool(false);
	for (size_t i = 0; i < go_len(call->receiver) && !out->flag; i++)
		out->flag = str_eq(call->receiver.list->items[i].text, call->args[0].text);
	return true;
}

const GoFn methods_versions[] = {{"Has", "s", versions_has}, {0}};

static Str kube_version_string(const GoStruct *record, Arena *arena)
{
	(void)arena;
	return record->fields[1].text;
}

static bool kube_version_normalized(GoCall *call, GoValue *out)
{
	*out = call->receiver.record->fields[1];
	return true;
}

static bool kube_version_text(GoCall *call, GoValue *out)
{
	*out = call->receiver.record->fields[0];
	return true;
}

static const GoFn kube_version_methods[] = {
	{"String", "", kube_version_normalized}, {"GitVersion", "", kube_version_text}, {0}};
static const char *const kube_version_fields[] = {"Version", "normalizedVersion", "Major", "Minor",
						  NULL};
const GoStructType struct_kube_version = {
	.name = "common.KubeVersion",
	.fields = kube_version_fields,
	.methods = kube_version_methods,
	.string = kube_version_string,
	.addressed = true,
};

static const char *const helm_version_fields[] = {"Version",   "GitCommit",	    "GitTreeState",
						  "GoVersion", "KubeClientVersion", NULL};
static const char *const helm_version_json[] = {
	"version", "git_commit", "git_tree_state", "go_version", "kube_client_version", NULL};
const GoStructType struct_helm_version = {
	.name = "version.BuildInfo",
	.fields = helm_version_fields,
	.json = helm_version_json,
};

static const char *const capabilities_fields[] = {"KubeVersion", "APIVersions", "HelmVersion",
						  NULL};
const GoStructType struct_capabilities = {
	.name = "*common.Capabilities",
	.pointer = true,
	.fields = capabilities_fields,
};

static bool time_unix_method(GoCall *call, GoValue *out)
{
	*out = go_int64(call->receiver.time->seconds);
	return true;
}

static bool time_unix_nano(GoCall *call, GoValue *out)
{
	*out = go_int64(call->receiver.time->seconds * 1000000000 + call->receiver.time->nanos);
	return true;
}

static bool time_format_method(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	time_format(call->receiver.time, call->args[0].text, &text);
	return call_return_text(call, &text, out);
}

static bool time_string_method(GoCall *call, GoValue *out)
{
	autobuf Buf text = {0};
	time_string(call->receiver.time, &text);
	return call_return_text(call, &text, out);
}

static bool time_year(GoCall *call, GoValue *out)
{
	TimeParts parts;
	time_parts(call->receiver.time, &parts);
	*out = go_int(parts.year);
	return true;
}

static bool time_utc(GoCall *call, GoValue *out)
{
	GoTime *time = arena_alloc(call_arena(call), sizeof(*time));
	*time = *call->receiver.time;
	time->monotonic = false;
	time_in(call_arena(call), time, STR("UTC"));
	*out = (GoValue){.type = GO_TIME, .time = time};
	return true;
}

static bool time_is_zero(GoCall *call, GoValue *out)
{
	*out = go_bool(call->receiver.time->seconds == -62135596800 &&
		       call->receiver.time->nanos == 0);
	return true;
}

const GoFn methods_time[] = {
	{"Unix", "", time_unix_method},
	{"UnixNano", "", time_unix_nano},
	{"Format", "s", time_format_method},
	{"String", "", time_string_method},
	{"Year", "", time_year},
	{"UTC", "", time_utc},
	{"IsZero", "", time_is_zero},
	{0},
};
