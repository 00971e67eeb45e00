/* source-controller: fetches sources, stores them as artifacts, serves those by HTTP (source.md).
 */
#ifndef SOURCE_CONTROLLER_CONTROLLER_H
#define SOURCE_CONTROLLER_CONTROLLER_H

#include "ctrl/manager.h"

extern const ManagerSpec source_controller;

#endif
