/* notification-controller: takes events, tells people and machines about them (notification.md). */
#ifndef NOTIFICATION_CONTROLLER_CONTROLLER_H
#define NOTIFICATION_CONTROLLER_CONTROLLER_H

#include "ctrl/manager.h"

extern const ManagerSpec notification_controller;

#endif
