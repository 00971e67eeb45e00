module sluice/tests/oracles/flux-crds

go 1.24.0

// Upstream's releases of Flux 2.9.4. Only their config/crd/bases is read, nothing is compiled, so
// nothing imports them and `go mod tidy` must not be run here.
require (
	github.com/fluxcd/helm-controller v1.6.3
	github.com/fluxcd/image-automation-controller v1.2.4
	github.com/fluxcd/image-reflector-controller v1.2.4
	github.com/fluxcd/kustomize-controller v1.9.4
	github.com/fluxcd/notification-controller v1.9.3
	github.com/fluxcd/source-controller v1.9.4
)
