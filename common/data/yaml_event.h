/* For readers of libyaml's events beside data/yaml.h's own. */
#ifndef DATA_YAML_EVENT_H
#define DATA_YAML_EVENT_H

#include <yaml.h>

/* The anchor of an event that begins a node and is no alias; NULL without one. Borrowed. */
const char *yaml_anchor_of(const yaml_event_t *event);

#endif
