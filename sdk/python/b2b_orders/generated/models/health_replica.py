from typing import Literal

HealthReplica = Literal["away", "lags", "used"]

HEALTH_REPLICA_VALUES: set[HealthReplica] = {
    "away",
    "lags",
    "used",
}


def check_health_replica(value: str) -> HealthReplica:
    if value in HEALTH_REPLICA_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {HEALTH_REPLICA_VALUES!r}"
    )
