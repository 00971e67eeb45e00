"""Charts are read once and their templates parsed once, whatever the number of releases: the daemon's
metrics tell."""
import re

from tests.lib.releases import QUICK, chart_server, config, controller_with, releases  # noqa: F401

helm_controller = controller_with(*QUICK)
FILES = {"templates/_helpers.tpl": '{{ define "v" }}{{ .Release.Name }}-{{ .Values.n }}{{ end }}',
         "templates/a.yaml": config("{{ .Release.Name }}-a", {"v": '{{ include "v" . }}'}),
         "templates/b.yaml": config("{{ .Release.Name }}-b", {"v": '{{ tpl "{{ .Values.n }}" . }}'})}
MANY = 12


def counts(daemon):
    """(charts loaded, templates parsed) since the start."""
    return tuple(int(re.search(rf"^sluice_helm_{name}_total (\d+)$", daemon.metrics(), re.M)[1])
                 for name in ("charts_loaded", "templates_parsed"))


def test_templates_are_parsed_once_for_all_releases_of_a_chart(releases, helm_controller):
    names = [f"app-{n}" for n in range(MANY)]
    loaded, parsed = counts(helm_controller)
    releases.chart(FILES)
    for n, name in enumerate(names):
        releases.quiet(name, values={"n": n})
    for name in names:
        releases.ready(name)
    assert counts(helm_controller) == (loaded + 1, parsed + len(FILES))
    # Other values, other renders, the same texts.
    for n, name in enumerate(names):
        releases.quiet(name, values={"n": n + 100})
    for n, name in enumerate(names):
        releases.ready(name, version=2)
        assert releases.live("ConfigMap", f"{name}-a")["data"]["v"] == f"{name}-{n + 100}"
    assert counts(helm_controller) == (loaded + 1, parsed + len(FILES))
    # Another digest, under the same name and version.
    releases.chart({**FILES, "templates/c.yaml": config("{{ .Release.Name }}-c")})
    releases.rerun(names[0])
    assert counts(helm_controller) == (loaded + 2, parsed + len(FILES)), "in sync: read, not rendered"
    releases.quiet(names[0], values={"n": -1})
    releases.ready(names[0], version=3)
    assert counts(helm_controller) == (loaded + 2, parsed + 2 * len(FILES) + 1)
