//! What is decided about a request before its body is read.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use http::request::Parts;

use crate::problem::Problem;

/// What becomes of a request: its body may have so many octets, or the problem is the answer.
pub type Received<'a> = Pin<Box<dyn Future<Output = Result<usize, Problem>> + Send + 'a>>;

/// Looks at a request's head, extensions included, before its body is read: whoever is refused takes no
/// room for a body, and an order that has a short form gets no room for a long one.
///
/// Nothing is taken over from here: what the handler must know it decides once more, since a body may take
/// its time, and the client's certificate may be revoked meanwhile.
#[derive(Clone)]
pub struct Reception(Arc<dyn for<'a> Fn(&'a Parts) -> Received<'a> + Send + Sync>);

impl Reception {
    /// A reception that decides by `decide`.
    pub fn new(decide: impl for<'a> Fn(&'a Parts) -> Received<'a> + Send + Sync + 'static) -> Self {
        Self(Arc::new(decide))
    }

    /// How many octets the body of the request may have.
    ///
    /// # Errors
    /// The request is refused.
    pub(crate) async fn receive(&self, head: &Parts) -> Result<usize, Problem> {
        (self.0)(head).await
    }
}

impl fmt::Debug for Reception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Reception")
    }
}
