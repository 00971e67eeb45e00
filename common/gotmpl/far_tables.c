#include "base/auto.h"
#include "gotmpl/functions.h"

static const GoFn *const far_tables[] = {functions_crypto, functions_certs, functions_decimals,
					 functions_digests};

const GoFarFunctions functions_linked = {far_tables, COUNT(far_tables)};
