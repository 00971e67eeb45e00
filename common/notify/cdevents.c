/*
 * CDEvents 0.4 (the schemas of the specification's version 0.4.1) as a table: each type's subject
 * and the members of its content (N86). Format assertions (uri, date) are not made, as JSON Schema
 * has it by default; the timestamp is, because decoding needs it.
 */
#include "notify/verify.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "data/regex.h"

/*
 * Members: a letter for the type, `!` when it is needed, the name. Types: s string, n string that
 * is not empty, r reference {id!, source}, b {uri!}, l list of strings, t trigger, c test case, w
 * test suite, O outcome, S severity, P kind of output.
 */
static const struct {
	const char *type, *subject, *content;
} types[] = {
	/* clang-format off */
	{"artifact.deleted.0.1.0", "artifact", "nuser"},
	{"artifact.downloaded.0.1.0", "artifact", "nuser"},
	{"artifact.packaged.0.2.0", "artifact", "r!change bsbom"},
	{"artifact.published.0.2.0", "artifact", "bsbom nuser"},
	{"artifact.signed.0.2.0", "artifact", "n!signature"},
	{"branch.created.0.2.0", "branch", "rrepository"},
	{"branch.deleted.0.2.0", "branch", "rrepository"},
	{"build.finished.0.2.0", "build", "sartifactId"},
	{"build.queued.0.2.0", "build", ""},
	{"build.started.0.2.0", "build", ""},
	{"change.abandoned.0.2.0", "change", "rrepository"},
	{"change.created.0.3.0", "change", "ndescription rrepository"},
	{"change.merged.0.2.0", "change", "rrepository"},
	{"change.reviewed.0.2.0", "change", "rrepository"},
	{"change.updated.0.2.0", "change", "rrepository"},
	{"environment.created.0.2.0", "environment", "sname surl"},
	{"environment.deleted.0.2.0", "environment", "sname"},
	{"environment.modified.0.2.0", "environment", "sname surl"},
	{"incident.detected.0.2.0", "incident", "sdescription r!environment rservice nartifactId"},
	{"incident.reported.0.2.0", "incident", "sdescription r!environment n!ticketURI rservice nartifactId"},
	{"incident.resolved.0.2.0", "incident", "sdescription r!environment rservice nartifactId"},
	{"pipelinerun.finished.0.2.0", "pipelineRun", "spipelineName surl soutcome serrors"},
	{"pipelinerun.queued.0.2.0", "pipelineRun", "spipelineName surl"},
	{"pipelinerun.started.0.2.0", "pipelineRun", "s!pipelineName s!url"},
	{"repository.created.0.2.0", "repository", "n!name sowner n!url sviewUrl"},
	{"repository.deleted.0.2.0", "repository", "sname sowner surl sviewUrl"},
	{"repository.modified.0.2.0", "repository", "sname sowner surl sviewUrl"},
	{"service.deployed.0.2.0", "service", "r!environment n!artifactId"},
	{"service.published.0.2.0", "service", "renvironment"},
	{"service.removed.0.2.0", "service", "renvironment"},
	{"service.rolledback.0.2.0", "service", "r!environment n!artifactId"},
	{"service.upgraded.0.2.0", "service", "r!environment n!artifactId"},
	{"taskrun.finished.0.2.0", "taskRun", "staskName surl rpipelineRun soutcome serrors"},
	{"taskrun.started.0.2.0", "taskRun", "staskName surl rpipelineRun"},
	{"testcaserun.finished.0.2.0", "testCaseRun", "O!outcome Sseverity sreason r!environment rtestSuiteRun ctestCase"},
	{"testcaserun.queued.0.2.0", "testCaseRun", "ttrigger r!environment rtestSuiteRun ctestCase"},
	{"testcaserun.skipped.0.1.0", "testCaseRun", "sreason renvironment rtestSuiteRun ctestCase"},
	{"testcaserun.started.0.2.0", "testCaseRun", "ttrigger r!environment rtestSuiteRun ctestCase"},
	{"testoutput.published.0.2.0", "testOutput", "P!outputType s!format suri rtestCaseRun"},
	{"testsuiterun.finished.0.2.0", "testSuiteRun", "r!environment wtestSuite O!outcome Sseverity sreason"},
	{"testsuiterun.queued.0.2.0", "testSuiteRun", "ttrigger r!environment wtestSuite"},
	{"testsuiterun.started.0.2.0", "testSuiteRun", "ttrigger r!environment wtestSuite"},
	{"ticket.closed.0.1.0", "ticket", "ssummary sticketType sgroup ncreator lassignees spriority llabels smilestone n!uri s!resolution supdatedBy"},
	{"ticket.created.0.1.0", "ticket", "s!summary sticketType sgroup n!creator lassignees spriority llabels smilestone n!uri"},
	{"ticket.updated.0.1.0", "ticket", "ssummary sticketType sgroup ncreator lassignees spriority llabels smilestone supdatedBy n!uri"},
	/* clang-format on */
};

/* What an object may hold, in the same notation; T the kind of a test, M that of a trigger. */
static const char reference[] = "n!id ssource", sbom[] = "n!uri", trigger[] = "Mtype suri",
		  test_case[] = "n!id sversion sname Ttype suri",
		  test_suite[] = "n!id sversion sname suri surl",
		  context_members[] =
			  "n!version n!id n!source n!type n!timestamp nschemaUri nchainId",
		  event_members[] = "scustomDataContentType";

static const char outcomes[] = "pass fail cancel error", severities[] = "low medium high critical",
		  outputs[] = "report video image log other",
		  test_types[] =
			  "performance functional unit security compliance integration e2e other",
		  trigger_types[] = "manual pipeline event schedule other";

static bool check_members(const json_t *object, const char *members, const char *also,
			  const char *where, Error *err);

static bool one_of(const json_t *value, const char *words)
{
	Str rest = str_of(words), word;
	while (json_is_string(value) && str_next(&rest, ' ', &word))
		if (str_eq(word, str_of(json_string_value(value))))
			return true;
	return false;
}

static bool is_list_of_strings(const json_t *value)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_borrow(value), i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_is_array(value);
}

/* A value against one letter of the notation. */
static bool check_value(const json_t *value, char letter, const char *name, Error *err)
{
	bool good = true;
	switch (letter) {
	case 's':
		good = json_is_string(value);
		break;
	case 'n':
		good = json_is_string(value) && json_string_length(value) > 0;
		break;
	case 'l':
		good = is_list_of_strings(value);
		break;
	case 'O':
		good = one_of(value, outcomes);
		break;
	case 'S':
		good = one_of(value, severities);
		break;
	case 'P':
		good = one_of(value, outputs);
		break;
	case 'T':
		good = one_of(value, test_types);
		break;
	case 'M':
		good = one_of(value, trigger_types);
		break;
	case 'r':
		return check_members(value, reference, "", name, err);
	case 'b':
		return check_members(value, sbom, "", name, err);
	case 't':
		return check_members(value, trigger, NULL, name, err);
	case 'c':
		return check_members(value, test_case, "", name, err);
	default:
		return check_members(value, test_suite, "", name, err);
	}
	return good || err_set(err, ERR_INVALID, "%s is of a wrong type or value", name);
}

/* True when `name` is among the members. */
static bool is_member(const char *members, const char *name)
{
	Str rest = str_of(members), item;
	while (str_next(&rest, ' ', &item)) {
		size_t skip = item.len > 1 && item.ptr[1] == '!' ? 2 : 1;
		if (str_eq(str_slice(item, skip, item.len), str_of(name)))
			return true;
	}
	return false;
}

/* An object's members; those of `also` (blank-separated) are looked at elsewhere. `also` NULL: any
 * others may stand. */
static bool check_members(const json_t *object, const char *members, const char *also,
			  const char *where, Error *err)
{
	if (!json_is_object(object))
		return err_set(err, ERR_INVALID, "%s is no object", where);
	Str rest = str_of(members), item;
	while (str_next(&rest, ' ', &item)) {
		bool needed = item.len > 1 && item.ptr[1] == '!';
		autofree char *name = str_dup(str_slice(item, needed ? 2 : 1, item.len));
		const json_t *value = json_object_get(object, name);
		if (!value && needed)
			return err_set(err, ERR_INVALID, "%s.%s is missing", where, name);
		if (value && !check_value(value, item.ptr[0], name, err))
			return err_wrap(err, "%s", where);
	}
	const char *key;
	json_t *value;
	json_object_foreach(json_borrow(object), key, value)
	{
		if (also && !is_member(members, key) && !is_member(also, key))
			return err_set(err, ERR_INVALID, "%s has an unknown member", where);
	}
	return true;
}

static bool check_subject(const json_t *subject, const char *type, const char *content, Error *err)
{
	if (!check_members(subject, "n!id ssource n!type", "xcontent", "subject", err))
		return false;
	if (type && !cstr_eq(json_text(subject, "type"), type))
		return err_set(err, ERR_INVALID, "subject.type is not %s", type);
	const json_t *value = json_object_get(subject, "content");
	return check_members(value, content ? content : "", content ? "" : NULL, "subject.content",
			     err);
}

static bool check_context(const json_t *context, Error *err)
{
	int64_t ignored;
	if (!check_members(context, context_members, "xlinks", "context", err))
		return false;
	if (!clock_parse(json_text(context, "timestamp"), &ignored))
		return err_set(err, ERR_INVALID, "context.timestamp is no date");
	const json_t *links = json_object_get(context, "links");
	return !links || json_is_array(links) ||
	       err_set(err, ERR_INVALID, "context.links is no list");
}

static bool is_custom(const char *type)
{
	autoerror Error err = {0};
	autoregex Regex *pattern = regex_new(
		"^dev\\.cdeventsx\\.[a-zA-Z0-9]+-[a-zA-Z]+\\.[a-zA-Z]+\\.[0-9]\\.[0-9]\\.[0-9]$",
		REGEX_SEARCH, &err);
	return pattern && regex_matches(pattern, type, strlen(type));
}

bool verify_cdevent(const json_t *event, Error *err)
{
	if (!check_members(event, event_members, "xcontext xsubject xcustomData", "event", err))
		return false;
	const json_t *data = json_object_get(event, "customData");
	if (data && !json_is_object(data) && !json_is_string(data))
		return err_set(err, ERR_INVALID, "customData is neither object nor string");
	if (!check_context(json_object_get(event, "context"), err))
		return false;
	const json_t *subject = json_object_get(event, "subject");
	const char *type = json_text_at(event, "context", "type", NULL);
	if (is_custom(type))
		return check_subject(subject, NULL, NULL, err);
	static const char prefix[] = "dev.cdevents.";
	for (size_t i = 0; cstr_starts(type, prefix) && i < COUNT(types); i++)
		if (cstr_eq(type + strlen(prefix), types[i].type))
			return check_subject(subject, types[i].subject, types[i].content, err);
	return err_set(err, ERR_INVALID, "the event's type is unknown");
}
