/* sluice completion: scripts for shells. They only ask `sluice __complete` (complete.c). */
#include <stdio.h>

#include "base/str.h"
#include "cli.h"

static const char bash[] = "# bash completion of sluice\n"
			   "_sluice()\n"
			   "{\n"
			   "\tlocal line word=${COMP_WORDS[COMP_CWORD]}\n"
			   "\tCOMPREPLY=()\n"
			   "\twhile IFS= read -r line; do\n"
			   "\t\tif [[ $line == :file ]]; then\n"
			   "\t\t\t[[ $word == = ]] && word=\n"
			   "\t\t\tcompopt -o filenames\n"
			   "\t\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
			   "\t\t\treturn\n"
			   "\t\tfi\n"
			   "\t\tCOMPREPLY+=(\"${line%%$'\\t'*}\")\n"
			   "\tdone < <(\"${COMP_WORDS[0]}\" __complete "
			   "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
			   "}\n"
			   "complete -F _sluice sluice\n";

static const char zsh[] =
	"#compdef sluice\n"
	"_sluice()\n"
	"{\n"
	"\tlocal line\n"
	"\tlocal -a found\n"
	"\tfor line in ${(f)\"$(${words[1]} __complete ${(Q)words[2,CURRENT-1]} "
	"\"${(Q)words[CURRENT]}\" 2>/dev/null)\"}; do\n"
	"\t\tif [[ $line == :file ]]; then\n"
	"\t\t\t_files\n"
	"\t\t\treturn\n"
	"\t\tfi\n"
	"\t\tfound+=(\"${${line%%$'\\t'*}//:/\\\\:}${${(M)line:#*$'\\t'*}:+:${line#*$'\\t'}}\")\n"
	"\tdone\n"
	"\t_describe sluice found\n"
	"}\n"
	"if [[ $funcstack[1] == _sluice ]]; then\n"
	"\t_sluice \"$@\"\n"
	"else\n"
	"\tcompdef _sluice sluice\n"
	"fi\n";

static const char fish[] =
	"# fish completion of sluice\n"
	"function __sluice_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tfor line in (command $words[1] __complete $words[2..-1] (commandline -ct) 2>/dev/null)\n"
	"\t\tif test \"$line\" = :file\n"
	"\t\t\t__fish_complete_path (commandline -ct)\n"
	"\t\telse\n"
	"\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c sluice -f -a '(__sluice_complete)'\n";

static const struct {
	const char *name, *script;
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static bool run(Command *command, Error *err)
{
	const char *wanted = command_word(command, 0);
	for (size_t i = 0; wanted && i < COUNT(shells); i++) {
		if (!cstr_eq(shells[i].name, wanted))
			continue;
		fputs(shells[i].script, stdout);
		return true;
	}
	return err_set(err, ERR_INVALID, "a shell is required: bash, zsh or fish");
}

const Verb verb_completion = {
	.name = "completion",
	.words = "bash|zsh|fish",
	.summary = "Print the script that completes sluice in a shell.",
	.details = "For the present shell: source <(sluice completion bash).",
	.run = run,
};
