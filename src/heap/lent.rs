//! A value that is lent to a frozen graph while it is judged, and changed again afterwards, without a copy.

use std::ops::Deref;
use std::sync::Arc;

#[derive(Debug)]
pub(super) enum Lent<T> {
    Own(T),
    Shared(Arc<T>),
}

impl<T: Default> Default for Lent<T> {
    fn default() -> Self {
        Lent::Own(T::default())
    }
}

impl<T> Deref for Lent<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Lent::Own(value) => value,
            Lent::Shared(value) => value,
        }
    }
}

impl<T: Clone + Default> Lent<T> {
    pub fn lend(&mut self) -> Arc<T> {
        let shared = match std::mem::take(self) {
            Lent::Own(value) => Arc::new(value),
            Lent::Shared(value) => value,
        };
        *self = Lent::Shared(Arc::clone(&shared));
        shared
    }

    /// Takes the value back first if it is lent; a borrower that still has it keeps a copy of its own.
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        if let Lent::Shared(_) = self {
            self.take_back();
        }
        match self {
            Lent::Own(value) => value,
            Lent::Shared(value) => Arc::make_mut(value),
        }
    }

    #[cold]
    fn take_back(&mut self) {
        if let Lent::Shared(value) = std::mem::take(self) {
            *self = Lent::Own(Arc::unwrap_or_clone(value));
        }
    }
}
