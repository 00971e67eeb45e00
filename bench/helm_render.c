/*
 * helm_render CHART COUNT: prepares a chart and renders it that many times in one process, each
 * time for another release: what a controller pays for a release of a chart that it knows. Prints
 * the milliseconds of the first render, loading included, and the least of the others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "helm/template.h"

static double now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static bool render(PreparedChart *chart, int number, Error *err)
{
	autoarena Arena *arena = arena_new();
	autofree char *name = mem_printf("release-%d", number);
	automanifests HelmManifests manifests = {0};
	HelmOptions options = {.release = {name, "default", 1, false}};
	HelmChart *own;
	HelmStage stage;
	return helm_template(arena, chart, NULL, &options, &manifests, &own, &stage, err);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	autoerror Error err = {0};
	double start = now_ms(), first = 0, least = 0;
	Arena *arena = arena_new();
	HelmChart *chart = helm_chart_load(arena, argv[1], &err);
	if (!chart) {
		fprintf(stderr, "%s\n", err_text(&err));
		return 1;
	}
	autopreparedchart PreparedChart *prepared = prepared_chart_new(arena, chart);
	for (int i = 0; i < strtol(argv[2], NULL, 10); i++) {
		if (!render(prepared, i, &err)) {
			fprintf(stderr, "%s\n", err_text(&err));
			return 1;
		}
		double took = now_ms() - start;
		first = i == 0 ? took : first;
		least = i == 1 || (i > 1 && took < least) ? took : least;
		start = now_ms();
	}
	printf("first %.2f ms, then %.2f ms\n", first, least);
	return 0;
}
