"""From a call and its outcome to the record that CloudTrail writes of it."""

from smas_emulator.cloudtrail.records.operations import event_class, is_recorded
from smas_emulator.cloudtrail.records.record import build_record
from smas_emulator.cloudtrail.records.secondary import secondary_records

__all__ = ["build_record", "event_class", "is_recorded", "secondary_records"]
