//! What a time source is.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

/// An answer on its way.
pub type Measuring<'a> =
    Pin<Box<dyn Future<Output = Result<Measurement, SourceError>> + Send + 'a>>;

/// Something that knows how far the system's clock is off.
pub trait TimeSource: Debug + Send + Sync {
    /// The source as it is configured; a metric's label.
    fn name(&self) -> &str;

    /// Asks once. The caller gives up after the configured time and drops the future.
    fn measure(&self) -> Measuring<'_>;
}

/// How far the system's clock is off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measurement {
    /// The system's clock minus the source's time, in nanoseconds.
    pub offset_nanos: i64,
    /// How wrong that may be: half the way to the source and on to its own reference, and its dispersion.
    pub error_bound: Duration,
}

/// Why a source gave no measurement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It did not answer, or not correctly.
    #[error("{0}")]
    Failed(String),
    /// It wants to be asked less often or not at all.
    #[error("asks not to be asked: {0}")]
    AskLess(String),
}
