//! A moving average, for estimates of how long work takes.

/// The weight of the last value.
const WEIGHT: f64 = 0.1;

/// Nothing at first, then the first value, then each further one with a tenth of the weight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MovingAverage(Option<f64>);

impl MovingAverage {
    pub(crate) fn add(&mut self, value: f64) {
        let average = self.0.get_or_insert(value);
        *average += WEIGHT * (value - *average);
    }

    pub(crate) fn get(&self) -> Option<f64> {
        self.0
    }
}
