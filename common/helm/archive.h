/* Where a chart's files come from: archives and directories. */
#ifndef HELM_ARCHIVE_H
#define HELM_ARCHIVE_H

#include "helm/chart.h"

/* A .tgz: a gzipped tar whose entries share one directory, which is left away. */
HelmChart *helm_chart_of_archive(Arena *arena, Str bytes, Error *err) MUST_USE;
/* Text without a byte order mark. */
Str helm_without_mark(Str data);

#endif
