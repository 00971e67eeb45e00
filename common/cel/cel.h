/*
 * The Common Expression Language as Kubernetes 1.34 and Flux speak it (cel-go 0.26): parsing, type
 * checking, evaluation with a cost limit. A pure engine: expression and JSON in, a value out.
 *
 *	autocelenv CelEnv *env = cel_env_new(CEL_KUBERNETES);
 *	cel_env_declare(env, "self", cel_type(CEL_DYN));
 *	autocelprogram CelProgram *program = cel_compile(env, "self.replicas <= 3", err);
 *	json_t *result = cel_eval(program, variables, 1, NULL, err);
 *
 * Hostile expressions and data are bounded: bytes of text, nesting, cost, memory, time.
 */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include "data/json.h"

typedef enum {
	CEL_DYN,
	CEL_ERROR, /* of a checker that has complained already; of an evaluation that failed */
	CEL_NULL,
	CEL_BOOL,
	CEL_INT,
	CEL_UINT,
	CEL_DOUBLE,
	CEL_STRING,
	CEL_BYTES,
	CEL_TIMESTAMP,
	CEL_DURATION,
	CEL_LIST,
	CEL_MAP,
	CEL_OBJECT, /* a map with declared fields */
	CEL_TYPE,
	CEL_OPTIONAL,
	CEL_QUANTITY,
	CEL_IP,
	CEL_CIDR,
	CEL_URL,
	CEL_SEMVER,
	CEL_FORMAT,
	CEL_PARAM, /* a type parameter, only while types are checked */
	CEL_KINDS,
} CelKind;

/* A type. Those of cel_type are static, the others belong to the environment that made them. */
typedef struct CelType CelType;

/* Which functions and macros there are, and what is checked. Bits. */
typedef enum {
	CEL_LIB_KUBERNETES = 1, /* k8s.io/apiserver/pkg/cel/environment, 1.34 */
	CEL_LIB_FLUX = 2,	/* fluxcd/pkg/runtime/cel: strings, sets, encoders, optionals */
	CEL_PARSE_ONLY = 4,	/* no type check: what is undeclared shows at run time only */
	CEL_COSTS = 8,		/* sizes of types are kept, and costs estimated by them */
	CEL_LIB_LISTS = 16, /* cel-go's ext/lists.go: in 1.34 for what is stored, not yet for what
			       is written */
	CEL_KUBERNETES = CEL_LIB_KUBERNETES | CEL_LIB_LISTS,
	CEL_FLUX = CEL_LIB_FLUX,
} CelFlags;

typedef struct CelEnv CelEnv;
typedef struct CelProgram CelProgram;

/* An environment, owned by the caller; it must outlive the programs compiled with it. Not changed
 * by compiling: once declared, any thread may compile with it. */
CelEnv *cel_env_new(unsigned flags);
void cel_env_free(CelEnv *env);
AUTO_POINTER(CelEnv, cel_env_free, auto_cel_env);
#define autocelenv __attribute__((cleanup(auto_cel_env)))

/* Declares a variable. */
void cel_env_declare(CelEnv *env, const char *name, const CelType *type);

/* A type without parameters (CEL_LIST and CEL_MAP: of dyn). Static. */
const CelType *cel_type(CelKind kind);
const CelType *cel_type_list(CelEnv *env, const CelType *items);

/* How a list compares and is added to (x-kubernetes-list-type): as a set in any order, or by the
 * keys of its objects, a list of texts that is copied (NULL: none). */
const CelType *cel_type_list_set(CelEnv *env, const CelType *items);
const CelType *cel_type_list_map(CelEnv *env, const CelType *items, const json_t *keys);

/* An optional value; a variable of such a type with a NULL value has none. */
const CelType *cel_type_optional(CelEnv *env, const CelType *type);

/* `type` of values with at most `max` characters, bytes, items or entries, by which the cost of
 * expressions over them is estimated; `type` itself in an environment without CEL_COSTS. */
const CelType *cel_type_sized(CelEnv *env, const CelType *type, uint64_t max);

/* A map from strings. */
const CelType *cel_type_map(CelEnv *env, const CelType *values);

/* An object type with no fields yet; `name` (copied) is what messages call it. */
CelType *cel_type_object(CelEnv *env, const char *name);

/* Adds a field: `name` is how expressions spell it, `member` the key in JSON (both copied). Until
 * the first use of the type only. */
void cel_type_add_field(CelEnv *env, CelType *object, const char *name, const char *member,
			const CelType *type);

/*
 * Compiles. ERR_INVALID with the text that cel-go gives: for each problem "ERROR:
 * <input>:LINE:COLUMN: ..." with the line and a pointer to the column. Owned by the caller.
 */
CelProgram *cel_compile(const CelEnv *env, const char *text, Error *err) MUST_USE;
void cel_program_free(CelProgram *program);
AUTO_POINTER(CelProgram, cel_program_free, auto_cel_program);
#define autocelprogram __attribute__((cleanup(auto_cel_program)))

/* The static type of the result (CEL_DYN after CEL_PARSE_ONLY), and its text such as "list(int)",
 * which is borrowed. */
CelKind cel_program_kind(const CelProgram *program);
const char *cel_program_type_text(const CelProgram *program);

/* The most that an evaluation may cost, by the sizes that the type of `self` declares; 0 without
 * CEL_COSTS (cel-go checker/cost.go). */
uint64_t cel_program_cost_max(const CelProgram *program);

/* True when the checked expression names the variable. */
bool cel_program_uses(const CelProgram *program, const char *variable);

/* A variable's value, borrowed for the time of the call. The declared type says how it is read. */
typedef struct {
	const char *name;
	const json_t *value;
} CelVariable;

/* Bounds of one evaluation; what is 0 is the default. A NULL pointer: all defaults. */
typedef struct {
	uint64_t cost;	     /* in CEL's units (default 1000000, the API server's per call) */
	size_t memory;	     /* bytes that values may take (default 64 MiB) */
	int64_t time_ms;     /* default 1000 */
	uint64_t *out_cost;  /* where the cost of the evaluation goes, or NULL */
	bool *out_over_cost; /* set to true when the cost limit ended it, or NULL */
} CelLimits;

/*
 * Evaluates. The result as JSON (bytes in base64, times as RFC 3339, durations as Go writes them,
 * unsigned beyond int64 and other types as text), owned by the caller. ERR_INVALID with cel-go's
 * text when the evaluation ends in an error, ERR_LIMIT when a limit was passed. Any thread; the
 * program is not changed.
 */
json_t *cel_eval(const CelProgram *program, const CelVariable *variables, size_t count,
		 const CelLimits *limits, Error *err) MUST_USE;

/* As cel_eval, but the result as text that tells the types apart (1, 1u, double(1), "a", b61,
 * duration(5)): for tests. Owned by the caller. */
char *cel_eval_text(const CelProgram *program, const CelVariable *variables, size_t count,
		    const CelLimits *limits, Error *err) MUST_USE;

#endif
