"""A whole chart in the manner of the large public ones: a library, charts in charts with aliases and
conditions, helpers that call helpers, values that are templates, CRDs, hooks, tests and schemas.
(name, files, arguments)."""

LIBRARY = {
    "_names.tpl": '''{{- define "lib.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "lib.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "lib.name" . -}}
{{- if contains $name .Release.Name -}}{{- .Release.Name -}}{{- else -}}{{- printf "%s-%s" .Release.Name $name -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- define "lib.chart" -}}{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" -}}{{- end -}}
''',
    "_labels.tpl": '''{{- define "lib.labels" -}}
{{- $ctx := .context | default . -}}
{{- $own := dict "app.kubernetes.io/name" (include "lib.name" $ctx) "helm.sh/chart" (include "lib.chart" $ctx) "app.kubernetes.io/instance" $ctx.Release.Name "app.kubernetes.io/managed-by" $ctx.Release.Service -}}
{{- if .component }}{{- $_ := set $own "app.kubernetes.io/component" .component -}}{{- end -}}
{{ merge (deepCopy ($ctx.Values.commonLabels | default dict)) $own | toYaml }}
{{- end -}}
{{- define "lib.selector" -}}
app.kubernetes.io/name: {{ include "lib.name" .context }}
app.kubernetes.io/instance: {{ .context.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}
''',
    "_values.tpl": '''{{- define "lib.render" -}}
{{- $value := typeIs "string" .value | ternary .value (.value | toYaml) -}}
{{- if contains "{{" $value -}}{{- tpl $value .context -}}{{- else -}}{{- $value -}}{{- end -}}
{{- end -}}
{{- define "lib.image" -}}
{{- $registry := .image.registry | default (.global).imageRegistry -}}
{{- $tag := .image.tag | default .chart.AppVersion | toString -}}
{{- if .image.digest }}{{ $tag = .image.digest | toString }}{{ end -}}
{{- if $registry }}{{ $registry }}/{{ end }}{{ .image.repository }}{{ ternary "@" ":" (not (empty .image.digest)) }}{{ $tag }}
{{- end -}}
{{- define "lib.env" -}}
{{- range $name := keys . | sortAlpha }}
{{- $value := get $ $name }}
- name: {{ $name | snakecase | upper }}
  {{- if kindIs "map" $value }}
  valueFrom: {{- toYaml $value | nindent 4 }}
  {{- else }}
  value: {{ $value | toString | quote }}
  {{- end }}
{{- end }}
{{- end -}}
{{- define "lib.checksum" -}}{{- include (print .root.Template.BasePath "/" .file) .root | sha256sum -}}{{- end -}}
''',
}

WORKLOAD = '''{{- range $component, $spec := .Values.components }}
{{- if ne (toString $spec.enabled) "false" }}
{{- $scope := dict "context" $ "component" $component }}
---
apiVersion: {{ if $.Capabilities.APIVersions.Has "apps/v1" }}apps/v1{{ else }}extensions/v1beta1{{ end }}
kind: {{ $spec.kind | default "Deployment" }}
metadata:
  name: {{ include "lib.fullname" $ }}-{{ $component }}
  namespace: {{ $.Release.Namespace | quote }}
  labels: {{- include "lib.labels" $scope | nindent 4 }}
  annotations:
    checksum/config: {{ include "lib.checksum" (dict "root" $ "file" "config.yaml") }}
    {{- with $spec.annotations }}
    {{- include "lib.render" (dict "value" . "context" $) | nindent 4 }}
    {{- end }}
spec:
  {{- if not (and $spec.autoscaling $spec.autoscaling.enabled) }}
  replicas: {{ $spec.replicas | default 1 | int }}
  {{- end }}
  selector:
    matchLabels: {{- include "lib.selector" $scope | nindent 6 }}
  template:
    metadata:
      labels: {{- include "lib.labels" $scope | nindent 8 }}
    spec:
      serviceAccountName: {{ tpl ($.Values.serviceAccount.name | default (include "lib.fullname" $)) $ }}
      {{- with $spec.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ $component }}
          image: {{ include "lib.image" (dict "image" (merge (dict) ($spec.image | default dict) $.Values.image) "global" $.Values.global "chart" $.Chart) | quote }}
          {{- if $spec.command }}
          command: {{ toJson $spec.command }}
          {{- end }}
          env: {{- include "lib.env" (merge (deepCopy ($spec.env | default dict)) $.Values.env) | trim | nindent 12 }}
          ports:
            {{- range $port := $spec.ports }}
            - { name: {{ $port.name }}, containerPort: {{ $port.port | int }}, protocol: {{ $port.protocol | default "TCP" }} }
            {{- else }}
            []
            {{- end }}
          {{- if $spec.probe }}
          {{- range $kind := list "liveness" "readiness" }}
          {{ $kind }}Probe: {{- omit $spec.probe "delays" | toYaml | nindent 12 }}
            initialDelaySeconds: {{ dig "delays" $kind 5 $spec.probe | int }}
          {{- end }}
          {{- end }}
          resources: {{- toYaml ($spec.resources | default $.Values.resources) | nindent 12 }}
      {{- if or $spec.volumes $.Values.config }}
      volumes:
        - name: config
          configMap: { name: {{ include "lib.fullname" $ }} }
        {{- with $spec.volumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- end }}
{{- if and $spec.autoscaling $spec.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: {{ include "lib.fullname" $ }}-{{ $component }} }
spec:
  minReplicas: {{ $spec.autoscaling.min }}
  maxReplicas: {{ max $spec.autoscaling.min $spec.autoscaling.max }}
{{- end }}
{{- end }}
{{- end }}
'''
CONFIG = '''apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "lib.fullname" . }}
  labels: {{- include "lib.labels" . | nindent 4 }}
data:
  {{- range $path, $bytes := .Files.Glob "config/**" }}
  {{ base $path }}: |- {{- tpl ($bytes | toString) $ | nindent 4 }}
  {{- end }}
  {{- range $key, $value := .Values.config }}
  {{ $key }}: {{ include "lib.render" (dict "value" $value "context" $) | quote }}
  {{- end }}
  application.json: {{ .Values.application | toPrettyJson | quote }}
  application.yaml: |
    {{- .Values.application | toYaml | nindent 4 }}
'''
SERVICE = '''{{- $root := . -}}
{{- range $component, $spec := .Values.components }}
{{- with $spec.ports }}
---
apiVersion: v1
kind: Service
metadata: { name: {{ printf "%s-%s" (include "lib.fullname" $root) $component | quote }} }
spec:
  type: {{ $spec.serviceType | default "ClusterIP" }}
  ports:
    {{- range $index, $port := . }}
    - name: {{ $port.name }}
      port: {{ add $port.port $index }}
      {{- if and (eq $spec.serviceType "NodePort") $port.nodePort }}
      nodePort: {{ $port.nodePort | int }}
      {{- end }}
    {{- end }}
  selector: {{- include "lib.selector" (dict "context" $root "component" $component) | nindent 4 }}
{{- end }}
{{- end }}
{{- if .Values.ingress.enabled }}
{{- $modern := semverCompare ">=1.19-0" .Capabilities.KubeVersion.Version }}
---
apiVersion: networking.k8s.io/{{ $modern | ternary "v1" "v1beta1" }}
kind: Ingress
metadata: { name: {{ include "lib.fullname" . }} }
spec:
  rules:
    {{- range .Values.ingress.hosts }}
    - host: {{ tpl .host $ | quote }}
      http:
        paths:
          {{- range .paths | default (list "/") | uniq }}
          - path: {{ . }}
            {{- if $modern }}
            pathType: Prefix
            {{- end }}
          {{- end }}
    {{- end }}
{{- end }}
'''
HOOKS = '''{{- range $at, $event := list "pre-install" "post-install" "pre-upgrade" "post-delete" }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "lib.fullname" $ }}-{{ $event }}
  annotations:
    helm.sh/hook: {{ $event }}{{ if eq $event "pre-install" }},pre-upgrade{{ end }}
    helm.sh/hook-weight: "{{ sub 5 $at }}"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  backoffLimit: {{ $at }}
{{- end }}
---
apiVersion: v1
kind: Pod
metadata:
  name: {{ include "lib.fullname" . }}-test
  annotations: {"helm.sh/hook": test}
'''
NOTES = "{{ .Release.Name }} runs {{ len .Values.components }} components{{ range $k, $_ := .Values.components }} {{ $k }}{{ end }}\n"
APP_VALUES = '''nameOverride: ""
global: {imageRegistry: ""}
image: {repository: shop/app, tag: ""}
serviceAccount: {name: "{{ .Release.Name }}-sa"}
commonLabels: {team: web}
env: {LOG_LEVEL: info, maxThreads: 4, ratio: 0.75}
resources: {limits: {cpu: 100m, memory: 64Mi}}
config: {greeting: "hello {{ .Release.Name }}", list: [a, "{{ .Chart.Name }}"], number: 1000000}
application: {server: {port: 8080, hosts: [a, b], tls: {enabled: false, "n": null}}, limits: {bytes: 1048576, ratio: 1.5}, text: "line one\\nline two\\n"}
components:
  web: {replicas: 3, ports: [{name: http, port: 80, nodePort: 30080}, {name: admin, port: 9000}], serviceType: NodePort, probe: {httpGet: {path: /, port: http}, delays: {liveness: 30}}, annotations: {owner: "{{ .Release.Name }}"}}
  worker: {kind: StatefulSet, command: [run, --queue, "a b"], env: {queue: main, secret: {secretKeyRef: {name: s, key: k}}}, autoscaling: {enabled: true, min: 2, max: 1}}
  cron: {enabled: false}
ingress: {enabled: true, hosts: [{host: "{{ .Release.Name }}.example", paths: [/, /api, /]}]}
'''
SCHEMA = '''{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["components"], "properties": {
 "image": {"type": "object", "properties": {"repository": {"type": "string", "minLength": 1}, "tag": {"type": ["string", "null"]}}},
 "components": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "object", "properties": {"replicas": {"type": "integer", "minimum": 0}, "kind": {"enum": ["Deployment", "StatefulSet", "DaemonSet"]}}}},
 "ingress": {"if": {"properties": {"enabled": {"const": true}}}, "then": {"required": ["hosts"]}}}}'''


def app(prefix="", name="app", version="1.4.2+build", values=APP_VALUES):
    """The chart with its own copy of the library."""
    files = {"Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: 2.10\ndependencies:\n- name: lib\n  version: 1.x\n  repository: ''\n",
             "values.yaml": values, "values.schema.json": SCHEMA, "templates/workloads.yaml": WORKLOAD, "templates/config.yaml": CONFIG, "templates/service.yaml": SERVICE,
             "templates/hooks.yaml": HOOKS, "templates/NOTES.txt": NOTES, "config/app.conf": "name = {{ .Release.Name }}\n# ü\n", "config/deep/raw.txt": "a\n\n  b\n",
             "crds/shop.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: shops.example\n",
             "charts/lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.2.3\ntype: library\n"}
    files.update({f"charts/lib/templates/{path}": text for path, text in LIBRARY.items()})
    return {prefix + path: text for path, text in files.items()}


UMBRELLA = {
    "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 3.0.0\nkubeVersion: '>=1.22-0'\ndependencies:\n"
                  "- {name: app, version: ^1.0.0, repository: ''}\n- {name: app, version: 1.x, repository: '', alias: admin, condition: admin.enabled, tags: [back]}\n"
                  "- {name: store, version: '*', repository: '', condition: 'store.enabled,global.stores', tags: [back], import-values: [public, {child: limits, parent: imported.limits}]}\n",
    "values.yaml": "global: {imageRegistry: registry.example, stores: true}\napp: {components: {web: {replicas: 5, image: {tag: v9}}}}\n"
                   "admin: {nameOverride: back, components: {web: {enabled: false}}, commonLabels: {team: null, tier: back}}\nimported: {limits: {own: 1}}\n",
    "templates/all.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: all}\ndata:\n  values: {{ .Values | toJson | quote }}\n  charts: {{ keys .Subcharts | sortAlpha | join \",\" }}\n"
                          "  admin: {{ .Subcharts.admin.Values.nameOverride | default \"gone\" | quote }}\n  chart: {{ .Chart | toJson | quote }}\n",
    **app("charts/app/"), **{f"charts/store/{path}": text for path, text in {
        "Chart.yaml": "apiVersion: v2\nname: store\nversion: 0.9.0\n", "values.yaml": "enabled: true\nlimits: {size: 1Gi, own: 2}\nexports: {public: {storeUrl: 'http://store'}}\n",
        "templates/set.yaml": "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: {{ .Release.Name }}-store}\nspec: {size: {{ .Values.limits.size }}, registry: {{ .Values.global.imageRegistry }}}\n"}.items()},
}

CASES = [
    ("app", app(), []), ("app_crds", app(), ["--include-crds", "--skip-tests"]), ("app_old_cluster", app(), ["--kube-version", "1.18.0"]), ("app_new_cluster", app(), ["--kube-version", "v1.30.1-eks.2", "-a", "apps/v1"]),
    ("app_digest", app(), ["--set", "image.digest=sha256:ab,image.registry=r.example,fullnameOverride=x"]), ("app_long_name", app(), ["--set", f"nameOverride={'n' * 80}"]),
    ("app_schema", app(), ["--set", "components.web.replicas=-1,components.cron.kind=Pod,image.repository="]), ("app_schema_missing", app(), ["--set", "components=null,ingress.hosts=null"]),
    ("app_no_components", app(), ["--set-json", 'components={"only":{}}']), ("app_bad_tpl", app(), ["--set-literal", "config.greeting={{ .Values.none.x }}"]), ("app_tpl_syntax", app(), ["--set-literal", "config.greeting={{ nope }}"]),
    ("app_ports_text", app(), ["--set", "components.web.ports=x"]), ("app_env_number", app(), ["--set", "env.big=12345678,env.t=true,env.n=null"]), ("app_many", app(), [arg for n in range(12) for arg in ("--set", f"components.c{n}.replicas={n},components.c{n}.ports[0].name=p{n},components.c{n}.ports[0].port={8000 + n}")]),
    ("umbrella", UMBRELLA, []), ("umbrella_crds", UMBRELLA, ["--include-crds", "-n", "shops"]), ("umbrella_no_admin", UMBRELLA, ["--set", "admin.enabled=false"]), ("umbrella_no_back", UMBRELLA, ["--set", "tags.back=false,global.stores=null"]),
    ("umbrella_store_off", UMBRELLA, ["--set", "store.enabled=false"]), ("umbrella_kube_version", UMBRELLA, ["--kube-version", "1.20"]), ("umbrella_sub_schema", UMBRELLA, ["--set", "admin.components.web.replicas=x"]),
    ("umbrella_sub_null", UMBRELLA, ["--set", "app=null"]), ("umbrella_globals", UMBRELLA, ["--set", "global.imageRegistry=other,app.global.imageRegistry=ignored,app.global.more=1"]), ("umbrella_show", UMBRELLA, ["-s", "charts/*/templates/service.yaml"]),
]
