#include "helm/manifest.h"

#include "base/mem.h"
#include "gotmpl/strconv.h"
#include "helm/head.h"
#include "helm/kinds.h"

static const char *const hook_events[][2] = {
	{"pre-install", "pre-install"},
	{"post-install", "post-install"},
	{"pre-delete", "pre-delete"},
	{"post-delete", "post-delete"},
	{"pre-upgrade", "pre-upgrade"},
	{"post-upgrade", "post-upgrade"},
	{"pre-rollback", "pre-rollback"},
	{"post-rollback", "post-rollback"},
	{"test", "test"},
	{"test-success", "test"},
};

void helm_manifests_dispose(HelmManifests *manifests)
{
	vec_dispose(&manifests->objects);
	vec_dispose(&manifests->hooks);
	free(manifests->notes);
	*manifests = (HelmManifests){0};
}

static bool is_blank(char byte)
{
	return byte == ' ' || (byte >= 9 && byte <= 13);
}

/* RE2's \s, which has no vertical tab. */
static bool is_space(char byte)
{
	return is_blank(byte) && byte != 11;
}

static Str trim_left(Str text)
{
	while (text.len > 0 && is_blank(text.ptr[0]))
		text = str_slice(text, 1, text.len);
	return text;
}

static bool is_all_blank(Str text)
{
	return trim_left(text).len == 0;
}

static void push_text(Arena *arena, Str text, Vec *out)
{
	if (is_all_blank(text))
		return;
	Str *kept = arena_alloc(arena, sizeof(*kept));
	*kept = trim_left(text);
	vec_push(out, kept);
}

/* The start of the first line behind `from` that begins with "---", or the text's length. */
static size_t find_dashes(Str text, size_t from)
{
	ptrdiff_t end;
	while ((end = str_find_char(str_slice(text, from, text.len), '\n')) >= 0) {
		from += (size_t)end + 1;
		if (str_starts(str_slice(text, from, text.len), STR("---")))
			return from;
	}
	return text.len;
}

/* "---" at the start of the text or of a line, with all blanks and empty lines around it: another
 * one right behind it is no separator. */
static bool find_separator(Str text, size_t from, size_t *start, size_t *end)
{
	size_t at = from;
	if (from > 0 || !str_starts(text, STR("---")))
		at = find_dashes(text, from);
	if (at == text.len)
		return false;
	*start = at;
	while (*start > from && is_space(text.ptr[*start - 1]))
		(*start)--;
	*end = at + 3;
	while (*end < text.len && is_space(text.ptr[*end]))
		(*end)++;
	return true;
}

void helm_manifest_split(Arena *arena, Str text, Vec *out_texts)
{
	size_t from = 0, start, end;
	text = trim_left(text);
	while (find_separator(text, from, &start, &end)) {
		push_text(arena, str_slice(text, from, start), out_texts);
		from = end;
	}
	push_text(arena, str_slice(text, from, text.len), out_texts);
}

/* ---- hooks ---- */

bool helm_words_have(const HelmWords *words, const char *word)
{
	for (size_t i = 0; i < words->len; i++)
		if (strcmp(words->items[i], word) == 0)
			return true;
	return false;
}

static char *lower_word(Arena *arena, Str piece)
{
	Str trimmed = str_trim(piece);
	char *word = arena_strndup(arena, trimmed.ptr, trimmed.len);
	for (char *at = word; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at | 32);
	return word;
}

/* At each comma, as Go splits: the empty text is one empty word. */
static HelmWords words_of(Arena *arena, const char *text)
{
	HelmWords words = {0};
	Str piece, rest = str_of(text);
	size_t most = 1;
	for (const char *at = text; *at; at++)
		most += *at == ',';
	words.items = arena_alloc(arena, most * sizeof(*words.items));
	while (words.len < most) {
		str_cut(rest, ',', &piece, &rest);
		words.items[words.len++] = lower_word(arena, piece);
	}
	return words;
}

/* False when one of them is none that Helm knows. */
static bool read_events(HelmWords *events)
{
	for (size_t i = 0; i < events->len; i++) {
		size_t row = 0;
		while (row < COUNT(hook_events) && strcmp(hook_events[row][0], events->items[i]))
			row++;
		if (row == COUNT(hook_events))
			return false;
		events->items[i] = hook_events[row][1];
	}
	return true;
}

static int64_t weight_of(Str text)
{
	int64_t weight;
	bool range;
	return parse_int(text, 10, &weight, &range) ? weight : 0;
}

/* ---- documents ---- */

static const char *field_of(Arena *arena, const HelmHead *head, HeadField field)
{
	Str text = head->fields[field].text;
	return arena_strndup(arena, text.ptr, text.len);
}

/* What the annotations say of a hook; false when an event is unknown. */
static bool read_hook(Arena *arena, const HelmHead *head, HelmManifest *manifest)
{
	const struct {
		HeadField field;
		HelmWords *words;
	} rows[] = {{HEAD_HOOK, &manifest->events},
		    {HEAD_DELETE_POLICY, &manifest->delete_policies},
		    {HEAD_LOG_POLICY, &manifest->log_policies}};
	manifest->is_hook = true;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (head->fields[rows[i].field].found)
			*rows[i].words = words_of(arena, field_of(arena, head, rows[i].field));
	manifest->weight = weight_of(head->fields[HEAD_WEIGHT].text);
	return read_events(&manifest->events);
}

static bool add_document(Arena *arena, const char *path, Str text, HelmManifests *out, Error *err)
{
	HelmManifest *manifest = arena_alloc(arena, sizeof(*manifest));
	HelmHead head;
	if (!helm_head_read(arena, text, &head, err))
		return err_wrap(err, "YAML parse error on %s", path);
	manifest->path = path;
	manifest->text = text;
	manifest->api_version = field_of(arena, &head, HEAD_API_VERSION);
	manifest->kind = field_of(arena, &head, HEAD_KIND);
	manifest->name = field_of(arena, &head, HEAD_NAME);
	if (!head.fields[HEAD_HOOK].found)
		vec_push(&out->objects, manifest);
	else if (read_hook(arena, &head, manifest))
		vec_push(&out->hooks, manifest);
	return true;
}

static int compare_kinds(const void *a, const void *b)
{
	return helm_kinds_compare(HELM_INSTALL, ((const HelmManifest *)a)->kind,
				  ((const HelmManifest *)b)->kind);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const HelmOutput *)a)->path, ((const HelmOutput *)b)->path);
}

static bool add_output(Arena *arena, const HelmOutput *output, HelmManifests *out, Error *err)
{
	autovec Vec texts = {0};
	helm_manifest_split(arena, output->text, &texts);
	for (size_t i = 0; i < texts.len; i++)
		if (!add_document(arena, output->path, *(Str *)texts.items[i], out, err))
			return false;
	return true;
}

bool helm_manifests_read(Arena *arena, const HelmOutput *outputs, size_t count, HelmManifests *out,
			 Error *err)
{
	autovec Vec sorted = {0};
	automanifests HelmManifests result = {0};
	for (size_t i = 0; i < count; i++)
		vec_push(&sorted, (void *)(uintptr_t)&outputs[i]);
	vec_sort(&sorted, compare_paths);
	for (size_t i = 0; i < sorted.len; i++)
		if (!add_output(arena, sorted.items[i], &result, err))
			return false;
	vec_sort(&result.objects, compare_kinds);
	vec_sort(&result.hooks, compare_kinds);
	*out = result;
	result = (HelmManifests){0};
	return true;
}
