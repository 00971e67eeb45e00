"""The fault suite's soak on daemons as they are shipped: no sanitizer's own memory hides what grows."""
from tests.faults.test_soak import (charts, registry, s3, sops, ssh,  # noqa: F401
                                    test_nothing_grows_with_reconciles, toolkit)
