/* A controller's manual page, from its tables: kinds, flags, gates. */
#include "ctrl/manager_internal.h"

#include "base/buf.h"
#include "base/roff.h"

static void print_name(const ManagerSpec *spec)
{
	autobuf Buf kinds = {0};
	for (size_t i = 0; i < spec->kind_count; i++)
		buf_printf(&kinds, "%s%s", i ? ", " : "", spec->kinds[i].kind);
	roff_section("NAME", stdout);
	printf("%s \\- controller of the kinds %s\n", spec->name, buf_text(&kinds));
	roff_section("SYNOPSIS", stdout);
	printf(".B %s\n[\\fIflags\\fR]\n", spec->name);
}

static void print_flags(const Manager *manager)
{
	roff_section("OPTIONS", stdout);
	flags_print_man(manager->rows, manager->row_count, stdout);
	if (!manager->spec->gate_count)
		return;
	roff_section("FEATURE GATES", stdout);
	for (size_t i = 0; i < manager->spec->gate_count; i++)
		printf(".TP\n.B %s\nDefault: %s.\n", manager->spec->gates[i].name,
		       manager->spec->gates[i].enabled ? "true" : "false");
}

static void print_environment(const Manager *manager)
{
	roff_section("ENVIRONMENT", stdout);
	fputs(".TP\n.B RUNTIME_NAMESPACE\n", stdout);
	roff_text("The controller's own namespace: leases, and the only one watched with "
		  "--watch-all-namespaces=false.",
		  stdout);
	for (size_t i = 0; i < manager->row_count; i++)
		if (manager->rows[i].env)
			printf(".TP\n.B %s\nSets \\fB\\-\\-%s\\fR when the flag is absent.\n",
			       manager->rows[i].env, manager->rows[i].name);
}

void manager_print_man(const Manager *manager)
{
	roff_title(manager->spec->name, 8, stdout);
	print_name(manager->spec);
	roff_section("DESCRIPTION", stdout);
	roff_text(
		"Watches its kinds on a Kubernetes API server and does what they say. Runs in the "
		"foreground and logs JSON lines to stderr. SIGTERM and SIGINT end it after the "
		"reconciles under way.",
		stdout);
	print_flags(manager);
	print_environment(manager);
	roff_section("EXIT STATUS", stdout);
	roff_text("0 after a signal; 1 when it could not start or lost its lease.", stdout);
	roff_section("SEE ALSO", stdout);
	fputs(".BR sluice (1)\n", stdout);
}
