/* The objects that Helm puts into a template's context: their types and methods. */
#ifndef GOTMPL_OBJECTS_H
#define GOTMPL_OBJECTS_H

#include "gotmpl/value.h"

extern const GoFn methods_files[], methods_values[], methods_versions[], methods_time[];

/* *common.Capabilities{KubeVersion, APIVersions, HelmVersion}, common.KubeVersion{Version, Major,
 * Minor}, common.VersionInfo{Version, GitCommit, GitTreeState, GoVersion, KubeClientVersion}. */
extern const GoStructType struct_capabilities, struct_kube_version, struct_helm_version;

#endif
