# Everything from a clean clone: each target installs the Debian packages that it needs.
.PHONY: build test demo images bench fmt lint fuzz tsan cover install clean

BUILD := build
TEST_BUILD := build-test
SUITES ?=

build: $(BUILD)/build.ninja
	ninja -C $(BUILD)

$(BUILD)/build.ninja:
	scripts/install-packages build
	meson setup $(BUILD) -Dbuildtype=release -Dtests=false

$(TEST_BUILD)/build.ninja:
	scripts/install-packages build test
	meson setup $(TEST_BUILD) -Db_sanitize=address,undefined -Dwerror=true

# Unit, end-to-end, fault and differential tests, and a few seconds of each fuzz target;
# SUITES="unit e2e" picks some.
test: $(TEST_BUILD)/build.ninja
	scripts/install-packages build test fuzz
	ninja -C $(TEST_BUILD)
	tests/run.py $(TEST_BUILD) $(SUITES)

# KEEP=1 leaves everything running and prints the KUBECONFIG line.
demo: build
	scripts/install-packages demo
	scripts/demo --build $(BUILD) $(if $(KEEP),--keep)

# Container images of the controllers, as OCI archives in images/.
images: build
	scripts/install-packages images
	scripts/images --build $(BUILD)

# N=1000 is the size; needs Go for the real kube-apiserver.
bench: build
	scripts/install-packages build test
	bench/mttp --build $(BUILD) $(if $(N),--count $(N))
	ninja -C $(BUILD) bench/apiserver_load
	bench/apiserver --build $(BUILD)

fmt:
	scripts/install-packages lint
	git ls-files '*.c' '*.h' | xargs clang-format -i

lint:
	scripts/install-packages build lint
	scripts/lint

# Races between threads, by ThreadSanitizer, in build-tsan/.
tsan:
	scripts/install-packages build test
	scripts/tsan

fuzz:
	scripts/install-packages build fuzz
	scripts/fuzz

cover:
	scripts/install-packages build test
	scripts/cover

install: build
	meson install -C $(BUILD)

clean:
	rm -rf $(BUILD) $(TEST_BUILD)
