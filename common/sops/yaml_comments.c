#include "sops/yaml_comments.h"

#include "base/mem.h"

/* Bytes of the line break at `at` as libyaml counts them, or 0. */
static size_t break_at(Str text, size_t at)
{
	static const Str breaks[] = {{"\r\n", 2},     {"\n", 1},	   {"\r", 1},
				     {"\xc2\x85", 2}, {"\xe2\x80\xa8", 3}, {"\xe2\x80\xa9", 3}};
	if ((unsigned char)text.ptr[at] > '\r' && (unsigned char)text.ptr[at] < 0xc2)
		return 0;
	for (size_t i = 0; i < COUNT(breaks); i++)
		if (str_starts(str_slice(text, at, text.len), breaks[i]))
			return breaks[i].len;
	return 0;
}

void comments_init(Comments *comments, Str text)
{
	*comments = (Comments){.text = text, .line_count = 1};
	size_t room = 64, len;
	comments->lines = mem_zalloc(room, sizeof(*comments->lines));
	for (size_t at = 0; at < text.len; at += len ? len : 1) {
		len = break_at(text, at);
		if (!len)
			continue;
		if (comments->line_count + 2 > room) {
			room *= 2;
			comments->lines =
				mem_realloc(comments->lines, room * sizeof(*comments->lines));
		}
		comments->lines[comments->line_count++] = at + len;
	}
	comments->lines[comments->line_count] = text.len;
}

void comments_dispose(Comments *comments)
{
	free(comments->lines);
	while (comments_peek(comments))
		free(comments_take(comments));
	vec_dispose(&comments->pending);
	*comments = (Comments){0};
}

/* A mark counts characters. From where the last mark was, when it is on the same line: lines may be
 * long. */
static size_t offset_of(const Comments *comments, yaml_mark_t mark)
{
	if (mark.line >= comments->line_count)
		return comments->text.len;
	size_t at = comments->lines[mark.line], end = comments->lines[mark.line + 1];
	size_t left = mark.column;
	if (comments->passed.line == mark.line && comments->passed.column <= left) {
		at = comments->passed_at;
		left -= comments->passed.column;
	}
	for (; left > 0 && at < end; left--)
		for (at++; at < end && ((unsigned char)comments->text.ptr[at] & 0xc0) == 0x80;)
			at++;
	return at;
}

static size_t line_of(const Comments *comments, size_t offset, size_t from_line)
{
	size_t line = from_line;
	while (line + 1 < comments->line_count && comments->lines[line + 1] <= offset)
		line++;
	return line;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

static void add_comment(Comments *comments, size_t at, size_t end, size_t line)
{
	Comment *comment = mem_zalloc(1, sizeof(*comment));
	size_t start = comments->lines[line];
	comment->text = str_sized(comments->text.ptr + at + 1, end - at - 1);
	comment->line = line;
	comment->column = at - start;
	comment->own_line = true;
	for (size_t i = start; i < at; i++)
		comment->own_line &= is_blank(comments->text.ptr[i]);
	vec_push(&comments->pending, comment);
}

/* Between two nodes there are only blanks, punctuation and comments. */
static void scan(Comments *comments, size_t from, size_t to, size_t line)
{
	const char *text = comments->text.ptr;
	for (size_t at = from; at < to; at++) {
		bool starts = text[at] == '#' &&
			      (at == 0 || is_blank(text[at - 1]) || text[at - 1] == '\n');
		if (!starts)
			continue;
		size_t end = at;
		while (end < comments->text.len && text[end] != '\n' && text[end] != '\r')
			end++;
		line = line_of(comments, at, line);
		add_comment(comments, at, end, line);
		at = end;
	}
}

static bool is_block_scalar(const yaml_event_t *event)
{
	return event->type == YAML_SCALAR_EVENT &&
	       (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
		event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE);
}

void comments_pass(Comments *comments, const yaml_event_t *event)
{
	size_t from = comments->passed_at;
	size_t start = offset_of(comments, event->start_mark);
	if (start > from)
		scan(comments, from, start, comments->passed.line);
	if (is_block_scalar(event) && event->start_mark.line + 1 < comments->line_count)
		scan(comments, start, comments->lines[event->start_mark.line + 1],
		     event->start_mark.line);
	size_t end = offset_of(comments, event->end_mark);
	if (end < from)
		return;
	comments->passed = event->end_mark;
	comments->passed_at = end;
}

const Comment *comments_peek(const Comments *comments)
{
	return comments->first < comments->pending.len ? comments->pending.items[comments->first]
						       : NULL;
}

Comment *comments_take(Comments *comments)
{
	if (comments->first < comments->pending.len)
		return comments->pending.items[comments->first++];
	comments->first = comments->pending.len = 0;
	return NULL;
}

void comments_put(Comments *comments, Comment *take_comment)
{
	vec_push(&comments->pending, take_comment);
}
