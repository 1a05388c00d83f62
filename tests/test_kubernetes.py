"""The manifests of ``kubernetes/``, against the schemas of the Kubernetes that is current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

FOLDER = Path(__file__).parents[1] / "kubernetes"
FILES = sorted(set(FOLDER.glob("*.yaml")) - {FOLDER / "kustomization.yaml"})


def manifests(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_manifest_is_what_kubernetes_takes(path: Path) -> None:
    for manifest in manifests(path):
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_a_wrong_manifest_is_not() -> None:
    manifest = manifests(FOLDER / "workers.yaml")[0]
    manifest["spec"]["template"]["spec"]["hostUser"] = False
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_all_of_them_are_applied() -> None:
    listed = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(listed) == [path.name for path in FILES]


def test_where_proc_is_unmasked_a_pod_has_users_of_its_own() -> None:
    """Kubernetes refuses one without the other, which its schema cannot say."""
    for manifest in (one for path in FILES for one in manifests(path) if one["kind"] == "Job"):
        pod = manifest["spec"]["template"]["spec"]
        unmasked = [
            container["securityContext"].get("procMount") == "Unmasked"
            for container in pod["containers"]
        ]
        assert unmasked == [True] and pod["hostUsers"] is False
