/* What helmchart_source.c and helmchart_oci.c share. */
#ifndef SOURCE_CONTROLLER_HELMCHART_SOURCE_H
#define SOURCE_CONTROLLER_HELMCHART_SOURCE_H

#include "helm/index.h"
#include "helmchart.h"
#include "oci/registry.h"

struct ChartSource {
	Run *run;
	const json_t *object; /* HelmRepository, borrowed */
	HelmRepository view;
	bool is_oci;
	HelmClient *client;	 /* over HTTP */
	const HelmIndex *shared; /* of storage, or NULL */
	HelmIndex *own;		 /* downloaded for this alone, or NULL */
	Registry *registry;	 /* opened for one chart */
	OciReference reference;
	char *shown_url; /* of the chart in it, for messages */
	char *digest;	 /* whose signature was checked, or NULL */
};

/* The registry for a chart; errors have a reason. Once a source. */
bool chart_oci_open(ChartSource *source, const char *name, Error *err) MUST_USE;
bool chart_oci_verify(ChartSource *source, const ChartVersion *version, const json_t *verify,
		      Error *err) MUST_USE;
bool chart_oci_find(ChartSource *source, const char *name, const char *range, ChartVersion *out,
		    Error *err) MUST_USE;
bool chart_oci_pull(ChartSource *source, const ChartVersion *version, int fd, Error *err) MUST_USE;

#endif
