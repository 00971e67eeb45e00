#include "helm/fields.h"

#include <stddef.h>

static const HelmField maintainer_fields[] = {
	{"name", FIELD_TEXT, NULL}, {"email", FIELD_TEXT, NULL}, {"url", FIELD_TEXT, NULL}, {0}};

static const HelmField dependency_fields[] = {{"name", FIELD_LABEL, NULL},
					      {"version", FIELD_TEXT, NULL},
					      {"repository", FIELD_LABEL, NULL},
					      {"condition", FIELD_TEXT, NULL},
					      {"tags", FIELD_TEXTS, NULL},
					      {"enabled", FIELD_FLAG, NULL},
					      {"import-values", FIELD_LIST, NULL},
					      {"alias", FIELD_TEXT, NULL},
					      {0}};

const HelmField helm_metadata_fields[] = {{"name", FIELD_TEXT, NULL},
					  {"home", FIELD_TEXT, NULL},
					  {"sources", FIELD_TEXTS, NULL},
					  {"version", FIELD_TEXT, NULL},
					  {"description", FIELD_TEXT, NULL},
					  {"keywords", FIELD_TEXTS, NULL},
					  {"maintainers", FIELD_RECORDS, maintainer_fields},
					  {"icon", FIELD_TEXT, NULL},
					  {"apiVersion", FIELD_TEXT, NULL},
					  {"condition", FIELD_TEXT, NULL},
					  {"tags", FIELD_TEXT, NULL},
					  {"appVersion", FIELD_TEXT, NULL},
					  {"deprecated", FIELD_FLAG, NULL},
					  {"annotations", FIELD_TEXT_MAP, NULL},
					  {"kubeVersion", FIELD_TEXT, NULL},
					  {"dependencies", FIELD_RECORDS, dependency_fields},
					  {"type", FIELD_TEXT, NULL},
					  {0}};
