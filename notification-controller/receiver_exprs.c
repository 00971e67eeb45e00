#include "receiver_exprs.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cel/expression.h"

enum { BODY_MAX = 4 << 20 };

static const char *const claims_variables[] = {"claims", "vars", NULL};

static Expression *compile_filter(const char *text, bool with_claims, Error *err)
{
	const char *const variables[] = {"res", "req", with_claims ? "claims" : NULL, NULL};
	return expression_new(text, variables, CEL_BOOL, err);
}

bool receiver_check_filters(const json_t *spec, Error *err)
{
	bool oidc = cstr_eq(json_text(spec, "type"), "generic-oidc");
	const char *top = json_text_or(spec, "resourceFilter", "");
	autoexpression Expression *expression = *top ? compile_filter(top, oidc, err) : NULL;
	if (*top && !expression)
		return err_wrap(err, "invalid resourceFilter expression");
	size_t i;
	json_t *resource;
	json_array_foreach(json_list(spec, "resources"), i, resource)
	{
		const char *text = json_text_or(resource, "filter", "");
		autoexpression Expression *own = *text ? compile_filter(text, oidc, err) : NULL;
		if (*text && !own)
			return err_wrap(
				err,
				"invalid filter expression for resources[%zu] (kind=\"%s\", "
				"name=\"%s\")",
				i, json_text_or(resource, "kind", ""),
				json_text_or(resource, "name", ""));
	}
	return true;
}

static Expression *compile_variable(const json_t *variable, Error *err)
{
	Expression *expression = expression_new(json_text_or(variable, "expression", ""),
						claims_variables, CEL_DYN, err);
	return expression ? expression
			  : err_wrap_null(err, "invalid expression for variable \"%s\"",
					  json_text_or(variable, "name", ""));
}

static Expression *compile_validation(const json_t *validation, Error *err)
{
	Expression *expression = expression_new(json_text_or(validation, "expression", ""),
						claims_variables, CEL_BOOL, err);
	return expression ? expression
			  : err_wrap_null(err, "invalid expression for validation \"%s\"",
					  json_text_or(validation, "message", ""));
}

static bool check_provider(const json_t *provider, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(provider, "variables"), i, item)
	{
		autoexpression Expression *expression = compile_variable(item, err);
		if (!expression)
			return false;
	}
	json_array_foreach(json_list(provider, "validations"), i, item)
	{
		autoexpression Expression *expression = compile_validation(item, err);
		if (!expression)
			return false;
	}
	return true;
}

bool receiver_check_claims_expressions(const json_t *spec, Error *err)
{
	size_t i;
	json_t *provider;
	json_array_foreach(json_list(spec, "oidcProviders"), i, provider)
	{
		if (!check_provider(provider, err))
			return err_wrap(err, "oidcProviders[%zu] (issuerURL=\"%s\")", i,
					json_text_or(provider, "issuerURL", ""));
	}
	return true;
}

/* Numbers as Go decodes them from a request: all are doubles. */
static void make_real(json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_object_foreach(value, key, member)
	{
		if (json_is_integer(member))
			json_object_set_new(value, key,
					    json_real((double)json_integer_value(member)));
		else
			make_real(member);
	}
	json_array_foreach(value, i, member)
	{
		if (json_is_integer(member))
			json_array_set_new(value, i, json_real((double)json_integer_value(member)));
		else
			make_real(member);
	}
}

static bool evaluate_variables(const json_t *provider, json_t *data, Error *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_list(provider, "variables"), i, item)
	{
		autoexpression Expression *expression = compile_variable(item, err);
		const char *name = json_text_or(item, "name", "");
		json_t *value = expression ? expression_json(expression, data, err) : NULL;
		if (!value)
			return err_wrap(err, "failed to evaluate variable \"%s\"", name);
		json_object_set_new(json_map(data, "vars"), name, value);
	}
	return true;
}

bool claims_accept(const json_t *provider, const json_t *claims, Error *err)
{
	autojson json_t *data =
		json_pack("{s:o,s:{}}", "claims", json_deep_copy(json_borrow(claims)), "vars");
	make_real(json_map(data, "claims"));
	autobuf Buf failures = {0};
	if (!evaluate_variables(provider, data, err))
		return false;
	size_t i;
	json_t *item;
	json_array_foreach(json_list(provider, "validations"), i, item)
	{
		bool holds = false;
		autoexpression Expression *expression = compile_validation(item, err);
		if (!expression || !expression_bool(expression, data, &holds, err))
			return err_wrap(err, "failed to evaluate validation");
		if (!holds)
			buf_printf(&failures, "%s%s", failures.len ? "; " : "",
				   json_text_or(item, "message", ""));
	}
	return failures.len == 0 ||
	       err_set(err, ERR_FORBIDDEN, "token validation failed: %s", buf_text(&failures));
}

void filter_data_dispose(FilterData *data)
{
	json_decref(data->request);
	json_decref(data->claims);
}

/* "application/json", with or without parameters. */
static bool is_json(const char *content_type)
{
	Str type, rest;
	(void)str_cut(str_of(content_type), ';', &type, &rest);
	return str_eq(str_trim(type), STR("application/json"));
}

bool filter_data_init(FilterData *out, const char *content_type, Str body, const json_t *claims,
		      Error *err)
{
	autojson json_t *request = is_json(content_type)
					   ? json_parse(body.ptr, body.len, BODY_MAX, err)
					   : json_object();
	if (!request)
		return err_wrap(err, "failed to parse request body as JSON");
	if (!json_is_object(request))
		return err_set(err, ERR_INVALID,
			       "failed to parse request body as JSON: it is no object");
	make_real(request);
	out->request = steal(&request);
	out->claims = json_deep_copy(json_borrow(claims));
	make_real(out->claims);
	return true;
}

bool receiver_has_filter(const json_t *spec, const json_t *resource)
{
	return !cstr_empty(json_text(spec, "resourceFilter")) ||
	       !cstr_empty(json_text(resource, "filter"));
}

bool receiver_filter(const json_t *spec, const json_t *resource, const FilterData *data,
		     const json_t *object, bool *out_accept, Error *err)
{
	const char *const texts[] = {json_text_or(spec, "resourceFilter", ""),
				     json_text_or(resource, "filter", "")};
	autojson json_t *variables =
		json_pack("{s:O,s:O}", "res", json_borrow(object), "req", data->request);
	if (data->claims)
		json_object_set(variables, "claims", data->claims);
	*out_accept = true;
	for (size_t i = 0; i < COUNT(texts) && *out_accept; i++) {
		if (!*texts[i])
			continue;
		autoexpression Expression *expression =
			compile_filter(texts[i], data->claims != NULL, err);
		if (!expression || !expression_bool(expression, variables, out_accept, err))
			return false;
	}
	return true;
}
