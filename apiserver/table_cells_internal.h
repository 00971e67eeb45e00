/* The cell functions that table_columns.c puts into columns: each gives an owned value. */
#ifndef APISERVER_TABLE_CELLS_INTERNAL_H
#define APISERVER_TABLE_CELLS_INTERNAL_H

#include "table_cells.h"

json_t *cell_name(const json_t *o);
json_t *cell_age(const json_t *o);
json_t *cell_created(const json_t *o);
json_t *cell_type(const json_t *o);
json_t *cell_data(const json_t *o);
json_t *cell_phase(const json_t *o);
json_t *cell_pod_ready(const json_t *o);
json_t *cell_pod_status(const json_t *o);
json_t *cell_restarts(const json_t *o);
json_t *cell_pod_ip(const json_t *o);
json_t *cell_node(const json_t *o);
json_t *cell_none(const json_t *o);
json_t *cell_ready_replicas(const json_t *o);
json_t *cell_updated(const json_t *o);
json_t *cell_available(const json_t *o);
json_t *cell_desired(const json_t *o);
json_t *cell_current(const json_t *o);
json_t *cell_ready_count(const json_t *o);
json_t *cell_containers(const json_t *o);
json_t *cell_images(const json_t *o);
json_t *cell_selector(const json_t *o);
json_t *cell_service_selector(const json_t *o);
json_t *cell_ds_desired(const json_t *o);
json_t *cell_ds_current(const json_t *o);
json_t *cell_ds_ready(const json_t *o);
json_t *cell_ds_updated(const json_t *o);
json_t *cell_ds_available(const json_t *o);
json_t *cell_node_selector(const json_t *o);
json_t *cell_job_status(const json_t *o);
json_t *cell_completions(const json_t *o);
json_t *cell_duration(const json_t *o);
json_t *cell_schedule(const json_t *o);
json_t *cell_timezone(const json_t *o);
json_t *cell_suspend(const json_t *o);
json_t *cell_active(const json_t *o);
json_t *cell_last_schedule(const json_t *o);
json_t *cell_service_type(const json_t *o);
json_t *cell_cluster_ip(const json_t *o);
json_t *cell_external_ip(const json_t *o);
json_t *cell_ports(const json_t *o);
json_t *cell_ingress_class(const json_t *o);
json_t *cell_ingress_hosts(const json_t *o);
json_t *cell_ingress_address(const json_t *o);
json_t *cell_ingress_ports(const json_t *o);
json_t *cell_pod_selector(const json_t *o);
json_t *cell_role(const json_t *o);
json_t *cell_holder(const json_t *o);
json_t *cell_secrets(const json_t *o);
json_t *cell_last_seen(const json_t *o);
json_t *cell_reason(const json_t *o);
json_t *cell_event_object(const json_t *o);
json_t *cell_message(const json_t *o);
json_t *cell_node_status(const json_t *o);
json_t *cell_node_version(const json_t *o);
json_t *cell_volume(const json_t *o);
json_t *cell_capacity(const json_t *o);
json_t *cell_access_modes(const json_t *o);
json_t *cell_storage_class(const json_t *o);
json_t *cell_provisioner(const json_t *o);
json_t *cell_reclaim(const json_t *o);
json_t *cell_hpa_reference(const json_t *o);
json_t *cell_hpa_targets(const json_t *o);
json_t *cell_bound_users(const json_t *o);
json_t *cell_bound_groups(const json_t *o);
json_t *cell_bound_accounts(const json_t *o);
json_t *cell_hpa_min(const json_t *o);
json_t *cell_hpa_max(const json_t *o);
json_t *cell_hpa_current(const json_t *o);
json_t *cell_min_available(const json_t *o);
json_t *cell_max_unavailable(const json_t *o);
json_t *cell_disruptions(const json_t *o);

#endif
