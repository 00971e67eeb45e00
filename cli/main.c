/*
 * sluice: what people call. Commands that neither ask a cluster nor fetch anything are programs
 * that link little, because they take less time than linking the libraries of all others does (5 ms
 * of 13 for a chart): helm's is this one, kustomize's is sluice-kustomize. Everything else is
 * sluice-verbs, also what a chart needs that is not of this machine. The others take this one's
 * place.
 */
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "heap.h"
#include "helm_command.h"
#include "program.h"

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	if (cstr_eq(verb, "kustomize"))
		return program_replace("sluice-kustomize", "cli", argv);
	if (!cstr_eq(verb, "helm"))
		return program_replace("sluice-verbs", "cli", argv);
	heap_prepare();
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(mem_alloc, free);
	int code = helm_command(argc - 1, argv + 1, NULL);
	return code == HELM_IS_FAR ? program_replace("sluice-verbs", "cli", argv) : code;
}
