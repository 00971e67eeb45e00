/* What the parts of the apply step share. */
#ifndef KUSTOMIZE_CONTROLLER_APPLY_H
#define KUSTOMIZE_CONTROLLER_APPLY_H

#include "delivery/ignore.h"
#include "internal.h"

typedef struct {
	KustomizeContext *context;
	const Kustomization *ks;
	KubeClient *client;
	Drift *drift;
	const char *ks_key; /* "ns/name" */
	const char *revision;
	const IgnoreRules *ignore;
	const char *const *overridden; /* prefixes of managers whose fields are taken over */
	bool migrate;		       /* the gate MigrateAPIVersion is on */
	const Map *inventoried;	       /* ids of what was applied before, whoever's run it was */
	json_t *documents;	       /* schemas asked for in this run, by apiVersion */
	bool confident;		       /* the last run was no failure */
	json_t *sent;		       /* memory_sent, or NULL */
	json_t **out_kept;	       /* of apply_items */
} ApplyRun;

/* The request for an item; a write tells the table of drift first. */
typedef KubeRequest ApplyRequest(const ApplyRun *apply, const Item *item);

/* What is sent for each item, and what its reply means: false is a failure. */
typedef struct {
	ApplyRequest *make;
	bool (*take)(const ApplyRun *apply, Item *item, KubeReply *reply, void *arg, Error *err);
} ApplyStep;
extern const ApplyStep apply_dry_runs, apply_writes;

/* Up to APPLY_CHUNK items at once: replies[i], zeroed before, answers items[i]. What was refused
 * only for fields that are to be left out is sent once more. */
enum { APPLY_CHUNK = 64 };
void apply_send(const ApplyRun *apply, ApplyRequest *make, Item *const *items, size_t count,
		KubeReply *replies);

/* Sends the items in chunks: replies of a thousand objects are not held at once. After a failure
 * the rest of its chunk is taken, nothing more is sent, and the first one is told. */
bool apply_send_each(const ApplyRun *apply, const ApplyStep *step, void *arg, Item *const *items,
		     size_t count, Error *err);

/* Whether the watch tells of an object what a dry run would: that it may be written as it is.
 * Whether nobody ever told of it: then it is to be created, or its write is to fail. */
bool apply_needs_no_dry_run(const ApplyRun *apply, Item *item);
bool apply_is_new(const ApplyRun *apply, const Item *item);

/* reversible.c: ConfigMaps and Secrets of a stage whose writes can be taken back need no dry run.
 * Takes them out of `items`; none when that would save nothing. */
void reversible_take(const ApplyRun *apply, Vec *items, Vec *out);
/* Writes them at once. Where the server refuses one, what it took of the others is undone; those
 * that turn out to exist already, or were not tried any more, are pushed to `others`. */
bool reversible_write(const ApplyRun *apply, const Vec *items, Vec *others, Error *err);
/* What the next run can take back. */
void reversible_remember(const ApplyRun *apply, const ItemSet *set);

/* Whether what was refused is to be deleted and made anew: immutable, and force says so, of the
 * manifest or of the live object, which may be NULL (K64). */
bool apply_is_recreated(const ApplyRun *apply, const Item *item, const json_t *live,
			const Error *refusal);

/* The server's last word on the object, and not that it is busy or does not know us. */
bool apply_is_refusal(const Error *err);

/* "ID [FILE:LINE] STEP (REASON)" in front of err. Returns false. */
bool apply_wrap_error(const Item *item, const char *step, Error *err);

/* Leaves out of item->object what its built-in kind does not declare, when that is why the server
 * refused it; true when something was left out and another try makes sense. undeclared.c */
bool apply_leave_out_undeclared(const ApplyRun *apply, Item *item, const Error *refusal);

/* With the gate MigrateAPIVersion: tags the live object's managedFields with the version that is
 * applied, before that (facts 6.3). migrate.c */
bool apply_migrate_version(const ApplyRun *apply, const Item *item, Error *err);

/* What is applied now, from a reply or the live object. */
void apply_note_applied(const ApplyRun *apply, const Item *item, const json_t *reply);

/* True when others' fields or annotations are to be taken over first: kubectl and the like have
 * written, and the manifest does not say ssa Merge (facts 6.3 "Cleanup"). */
bool apply_needs_takeover(const ApplyRun *apply, const json_t *desired, const json_t *reply);

/* Takes off an object what goes with a takeover: tools' annotations, and their fields that the
 * manifest does not have, as `reply` to its dry run tells. */
void apply_drop_left(const ApplyRun *apply, json_t *object, const json_t *reply);

/* Does it, on the live object. */
bool apply_takeover(const ApplyRun *apply, const Item *item, Error *err);

/* A ConfigMap or Secret: data that does nothing by itself, and has no status. */
bool object_is_passive(const json_t *object);

/* ssa IfNotPresent: created once, never updated (K60). */
bool object_only_created(const json_t *object);

/* Any of the labels and annotations that say what apply is to do with it (facts 6.4), but force. */
bool object_has_policy(const json_t *object);

/* The force annotation or label (K64). */
bool object_is_forced(const json_t *object);

#endif
