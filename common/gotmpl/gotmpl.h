/*
 * Go templates: the language of text/template with the functions that Helm 4.2 gives it. Texts are
 * parsed once into a set, which is immutable from then on and may be run by any number of threads
 * at a time. A run has limits on output, steps, nesting and time; a hostile template ends in an
 * error. Error texts are Go's: "template: NAME:LINE:COLUMN: executing ...".
 */
#ifndef GOTMPL_GOTMPL_H
#define GOTMPL_GOTMPL_H

#include "base/buf.h"
#include "gotmpl/value.h"

typedef struct GotmplSet GotmplSet;

/* A new, empty set, owned by the caller. */
GotmplSet *gotmpl_new(void);
void gotmpl_free(GotmplSet *set);
AUTO_POINTER(GotmplSet, gotmpl_free, auto_gotmpl);
#define autogotmpl __attribute__((cleanup(auto_gotmpl)))
/* Bytes that what was parsed takes. */
size_t gotmpl_size(const GotmplSet *set);

/*
 * Adds a text and the templates that it defines; `text` is borrowed and must outlive the set. A
 * name that exists is replaced, unless the new body is blank. ERR_INVALID with Go's message,
 * "template: NAME:LINE: ...".
 */
bool gotmpl_parse(GotmplSet *set, const char *name, Str text, Error *err) MUST_USE;

/* A parsed text: immutable, and in any number of sets at a time. */
typedef struct GotmplText GotmplText;

/* Parses as gotmpl_parse does, but adds to no set. `set` lends its functions and its memory, in
 * which the result lives: one thread at a time. */
const GotmplText *gotmpl_read(GotmplSet *set, const char *name, Str text, Error *err) MUST_USE;
/* Adds what a parsed text defines; sets that are added to in the same order are the same. */
void gotmpl_add(GotmplSet *set, const GotmplText *text);
/* A set in an arena that sees what `parent` has, which must outlive it and no longer change. */
GotmplSet *gotmpl_below(const GotmplSet *parent, Arena *arena);

/* Looks an object up in a cluster: what the template function `lookup` gives. *out is owned by who
 * called; left NULL, the object is absent. False fails the template. An empty `name` lists. */
typedef bool (*GotmplLookup)(void *context, const char *api_version, const char *kind,
			     const char *namespace, const char *name, json_t **out, Error *err);
/* Resolves a host name for `getHostByName`: an owned address, or NULL when there is none. */
typedef char *(*GotmplResolve)(void *context, const char *host);

enum { GOTMPL_TIME_MS = 60000 };

typedef struct {
	size_t output_bytes; /* of one template, included ones too; 0: 64 MiB */
	size_t memory_bytes; /* of values made; 0: 512 MiB */
	uint64_t steps;	     /* nodes and calls; 0: 100 million */
	uint64_t depth;	     /* of templates in templates; 0: as Go and Helm bound it */
	int64_t time_ms;     /* 0: GOTMPL_TIME_MS */
	bool strict;	     /* missingkey=error instead of zero */
	GotmplLookup lookup; /* NULL: every object is absent */
	void *lookup_context;
	GotmplResolve resolve; /* NULL: DNS is never asked, and every name is "" */
	void *resolve_context;
} GotmplLimits;

/* What runs share: the counters of the limits, values, the includes under way. Not immutable: one
 * thread at a time. */
GoRun *gotmpl_run_new(const GotmplSet *set, Arena *arena, const GotmplLimits *limits);

/*
 * Runs a template on a value; appends its output, with each "<no value>" as Go prints it. On
 * failure err has Go's message, and gotmpl_trace the steps from the outermost to the cause.
 */
bool gotmpl_execute(GoRun *run, const char *name, GoValue data, Buf *out, Error *err) MUST_USE;

/* Takes every "<no value>" out: what has no value prints so, and Helm removes it, wherever it comes
 * from (E30). */
void gotmpl_drop_no_value(Buf *text);

/*
 * The messages of the last failure, from the outermost to the innermost, each contained at the end
 * of the one before: Go's chain of wrapped errors. Borrowed from the run's arena.
 */
size_t gotmpl_trace(const GoRun *run, const char *const **out_messages);

#endif
