/* What the API server knows this controller's kind and its marks by. */
#ifndef HELM_CONTROLLER_NAMES_H
#define HELM_CONTROLLER_NAMES_H

#define HR_GROUP "helm.toolkit.fluxcd.io"
#define HR_VERSION HR_GROUP "/v2"
#define HR_KIND "HelmRelease"
#define HR_OWNER_NAME HR_GROUP "/name"
#define HR_OWNER_NAMESPACE HR_GROUP "/namespace"
#define HR_FIELD_MANAGER "helm-controller"

#endif
