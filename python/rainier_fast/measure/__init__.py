"""From measured tables to a machine's physical parameters, with the error that remains."""

from rainier_fast.measure.calibration import Calibration, Errors, Fitted
from rainier_fast.measure.calibrator import calibrate

__all__ = ["Calibration", "Errors", "Fitted", "calibrate"]
