/* Trust policies (trust-store-trust-policy.md): documents are refused whole when one part is wrong,
 * so that no typing error makes a policy weaker than it looks. */
#include "base/mem.h"
#include "data/json.h"
#include "data/regex.h"
#include "sign/notation_internal.h"

enum { MAX_STATEMENTS = 1000, MAX_VALUES = 1000 };

struct NotationPolicy {
	NotationStatement *items;
	size_t count;
	Map *scopes; /* to the statement that has it; borrowed values */
};

static void free_dn(void *map)
{
	map_free(map);
}

void notation_policy_free(NotationPolicy *policy)
{
	if (!policy)
		return;
	for (size_t i = 0; i < policy->count; i++) {
		free(policy->items[i].name);
		vec_dispose_strings(&policy->items[i].scopes);
		vec_dispose_with(&policy->items[i].identities, free_dn);
	}
	map_free(policy->scopes);
	free(policy->items);
	free(policy);
}

/* --- levels --- */

static const char *const check_names[] = {
	[CHECK_AUTHENTICITY] = "authenticity",
	[CHECK_TIMESTAMP] = "authenticTimestamp",
	[CHECK_EXPIRY] = "expiry",
	[CHECK_REVOCATION] = "revocation",
};
static const char *const action_names[] = {"enforce", "log", "skip"};

static const struct {
	const char *name;
	NotationAction authenticity, others;
} levels[] = {
	{"strict", ACTION_ENFORCE, ACTION_ENFORCE},
	{"permissive", ACTION_ENFORCE, ACTION_LOG},
	{"audit", ACTION_LOG, ACTION_LOG},
	{"skip", ACTION_SKIP, ACTION_SKIP},
};

static int index_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (cstr_eq(names[i], name))
			return (int)i;
	return -1;
}

static bool read_override(const json_t *override, NotationStatement *out, Error *err)
{
	const char *key;
	json_t *value;
	if (json_object_size(override) > 0 && out->skips)
		return err_set(err, ERR_INVALID, "level skip cannot be overridden");
	json_object_foreach(json_borrow(override), key, value)
	{
		int check = index_of(check_names, COUNT(check_names), key);
		int action = index_of(action_names, COUNT(action_names), json_string_value(value));
		if (check < 0 || action < 0)
			return err_set(err, ERR_INVALID,
				       "override of '%.100s', which has no such check or action",
				       key);
		if (action == ACTION_SKIP && check != CHECK_REVOCATION)
			return err_set(err, ERR_INVALID, "check '%.100s' cannot be skipped", key);
		out->actions[check] = (NotationAction)action;
	}
	return true;
}

static bool read_timestamp_option(const json_t *verification, NotationStatement *out, Error *err)
{
	const char *option = json_text_or(verification, "verifyTimestamp", "");
	out->after_expiry = cstr_eq(option, "afterCertExpiry");
	if (out->after_expiry || cstr_eq(option, "always") || cstr_empty(option))
		return true;
	return err_set(err, ERR_INVALID, "verifyTimestamp must be always or afterCertExpiry");
}

static bool read_level(const json_t *verification, NotationStatement *out, Error *err)
{
	const char *name = json_text_or(verification, "level", "");
	for (size_t i = 0; i < COUNT(levels); i++) {
		if (!cstr_eq(levels[i].name, name))
			continue;
		out->skips = levels[i].authenticity == ACTION_SKIP;
		for (int check = 0; check < CHECK_COUNT; check++)
			out->actions[check] = levels[i].others;
		out->actions[CHECK_AUTHENTICITY] = levels[i].authenticity;
		return read_override(json_map(verification, "override"), out, err) &&
		       read_timestamp_option(verification, out, err);
	}
	return err_set(err, ERR_INVALID, "invalid signature verification level '%.100s'", name);
}

/* --- trust stores and identities --- */

static bool is_store_name(Str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			    name.ptr[i]))
			return false;
	return name.len > 0;
}

static bool add_store(const char *text, NotationStatement *out, Error *err)
{
	Str type, name;
	bool ok = str_cut(str_of(text), ':', &type, &name) && is_store_name(name);
	bool ca = str_eq(type, STR("ca")), authority = str_eq(type, STR("signingAuthority"));
	bool tsa = str_eq(type, STR("tsa"));
	if (!ok || (!ca && !authority && !tsa))
		return err_set(err, ERR_INVALID, "bad trust store '%.100s'", text);
	out->has_ca |= ca;
	out->has_authority |= authority;
	out->has_tsa |= tsa;
	return true;
}

static bool overlaps(const Map *name, const Vec *others)
{
	for (size_t i = 0; i < others->len; i++)
		if (notation_dn_within(name, others->items[i]) ||
		    notation_dn_within(others->items[i], name))
			return true;
	return false;
}

/* Identities of other kinds than x509.subject are for plugins; alone they match nothing. */
static bool add_identity(const char *text, NotationStatement *out, Error *err)
{
	Str kind, value;
	if (cstr_eq(text, "*")) {
		out->any_identity = true;
		return true;
	}
	if (!str_cut(str_of(text), ':', &kind, &value))
		return err_set(err, ERR_INVALID, "bad trusted identity '%.200s'", text);
	if (!str_eq(kind, STR("x509.subject")))
		return true;
	Map *name = notation_dn_parse(value.ptr, err);
	if (!name)
		return err_wrap(err, "trusted identity '%.200s'", text);
	bool doubled = overlaps(name, &out->identities);
	vec_push(&out->identities, name);
	return doubled ? err_set(err, ERR_INVALID, "trusted identity '%.200s' overlaps another",
				 text)
		       : true;
}

/* Domain and repository as the distribution specification has them. */
static bool is_scope(const char *text)
{
	static const char pattern[] = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
				      "(?:\\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::[0-9]+)?"
				      "(?:/[a-z0-9]+(?:(?:[._]|__|-*)[a-z0-9]+)*)+";
	autoerror Error ignored = {0};
	autoregex Regex *regex = regex_new(pattern, REGEX_ANCHORED, &ignored);
	return regex && regex_matches(regex, text, strlen(text));
}

static bool add_scope(const char *text, NotationStatement *out, Error *err)
{
	if (!cstr_eq(text, "*") && !is_scope(text))
		return err_set(err, ERR_INVALID, "registry scope '%.200s' is not valid", text);
	vec_push(&out->scopes, mem_strdup(text));
	return true;
}

typedef bool AddFn(const char *text, NotationStatement *out, Error *err);

/* A list of texts, of which "*" may only stand alone where `wildcard` says that it is one. */
static bool read_list(const json_t *statement, const char *key, bool wildcard, AddFn *add,
		      NotationStatement *out, Error *err)
{
	const json_t *list = json_list(statement, key);
	size_t i, count = json_array_size(list);
	json_t *item;
	if (count == 0 || count > MAX_VALUES)
		return err_set(err, ERR_INVALID, "no %s, or too many", key);
	json_array_foreach(json_borrow(list), i, item)
	{
		const char *text = json_string_value(item);
		if (!text || (wildcard && count > 1 && cstr_eq(text, "*")))
			return err_set(err, ERR_INVALID,
				       "%s: a value is no text, or '*' is not alone", key);
		if (!add(text, out, err))
			return false;
	}
	return true;
}

/* --- documents --- */

static bool read_statement(const json_t *object, NotationStatement *out, Error *err)
{
	out->name = mem_strdup(json_text_or(object, "name", ""));
	if (cstr_empty(out->name))
		return err_set(err, ERR_INVALID, "a statement has no name");
	bool ok = read_level(json_map(object, "signatureVerification"), out, err);
	if (ok && !out->skips)
		ok = read_list(object, "trustStores", false, add_store, out, err) &&
		     read_list(object, "trustedIdentities", true, add_identity, out, err);
	ok = ok && read_list(object, "registryScopes", true, add_scope, out, err);
	return ok || err_wrap(err, "trust policy statement '%.100s'", out->name);
}

static bool has_name(const NotationPolicy *policy, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++)
		if (cstr_eq(policy->items[i].name, name))
			return true;
	return false;
}

/* A name or a scope that is there twice, be it in one statement, leaves open which one counts. */
static bool note_statement(NotationPolicy *policy, size_t at, Error *err)
{
	NotationStatement *statement = &policy->items[at];
	bool doubled = has_name(policy, at, statement->name);
	for (size_t i = 0; !doubled && i < statement->scopes.len; i++) {
		doubled = map_has(policy->scopes, statement->scopes.items[i]);
		map_put(policy->scopes, statement->scopes.items[i], statement);
	}
	return doubled ? err_set(err, ERR_INVALID,
				 "two statements have the same name or registry scope")
		       : true;
}

static bool read_statements(const json_t *list, NotationPolicy *out, Error *err)
{
	size_t i;
	json_t *item;
	out->items = mem_zalloc(json_array_size(list), sizeof(*out->items));
	json_array_foreach(json_borrow(list), i, item)
	{
		out->count++;
		if (!read_statement(item, &out->items[i], err) || !note_statement(out, i, err))
			return false;
	}
	return true;
}

NotationPolicy *notation_policy_parse(Str json, Error *err)
{
	autojson json_t *root = json_parse(json.ptr, json.len, NOTATION_MAX_POLICY, err);
	const json_t *list = json_list(root, "trustPolicies");
	if (!root)
		return NULL;
	if (!cstr_eq(json_text(root, "version"), "1.0"))
		return err_null(err, ERR_INVALID, "trust policy of another version than 1.0");
	if (json_array_size(list) == 0 || json_array_size(list) > MAX_STATEMENTS)
		return err_null(err, ERR_INVALID, "trust policy without statements, or too many");
	autonotationpolicy NotationPolicy *policy = mem_zalloc(1, sizeof(*policy));
	policy->scopes = map_new(NULL);
	return read_statements(list, policy, err) ? steal(&policy) : NULL;
}

const NotationStatement *notation_policy_find(const NotationPolicy *policy, const char *scope,
					      Error *err)
{
	const NotationStatement *statement = map_get(policy->scopes, scope);
	if (!statement)
		statement = map_get(policy->scopes, "*");
	if (!statement)
		return err_null(err, ERR_NOT_FOUND, "no trust policy statement is for '%s'", scope);
	return statement;
}

bool notation_statement_skips(const NotationStatement *statement)
{
	return statement->skips;
}
