/* kustomize-controller: builds Kustomizations from artifacts and keeps the cluster equal to them.
 */
#ifndef KUSTOMIZE_CONTROLLER_CONTROLLER_H
#define KUSTOMIZE_CONTROLLER_CONTROLLER_H

#include "ctrl/manager.h"

extern const ManagerSpec kustomize_controller;

#endif
