/* The fields of Helm's structs, in the order of their declaration, which is Go's order of writing
 * them. */
#ifndef HELM_FIELDS_H
#define HELM_FIELDS_H

typedef enum {
	FIELD_TEXT,	/* left out when empty */
	FIELD_LABEL,	/* text that is written even when empty */
	FIELD_TEXTS,	/* a list of texts */
	FIELD_TEXT_MAP, /* texts by name */
	FIELD_FLAG,
	FIELD_NUMBER,
	FIELD_TIME,
	FIELD_LIST,    /* of anything */
	FIELD_ANY,     /* a list or map of anything */
	FIELD_RECORD,  /* a struct, always there */
	FIELD_RECORDS, /* a list of structs */
} HelmFieldKind;

typedef struct HelmField HelmField;
struct HelmField {
	const char *name; /* NULL ends a table */
	HelmFieldKind kind;
	const HelmField *fields; /* FIELD_RECORD, FIELD_RECORDS */
};

/* Of a Chart.yaml. */
extern const HelmField helm_metadata_fields[];

#endif
