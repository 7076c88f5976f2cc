//! Loses references as PyO3 lets it, and owns some where the collector does not see them.

use std::sync::Mutex;

use pyo3::prelude::*;

static OWNED: Mutex<Vec<Py<PyAny>>> = Mutex::new(Vec::new());

#[pymodule]
mod extension {
    use super::*;

    #[pyfunction]
    fn forget(thing: Bound<'_, PyAny>) {
        thing.into_ptr();
    }

    #[pyfunction]
    fn give_back(thing: Bound<'_, PyAny>) {
        drop(thing.clone());
    }

    #[pyfunction]
    fn forget_item(thing: Bound<'_, PyAny>) -> PyResult<bool> {
        let item = thing.getattr("item")?;
        let is_there = !item.is_none();
        std::mem::forget(item);
        Ok(is_there)
    }

    #[pyfunction]
    fn give_item_back(thing: Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(!thing.getattr("item")?.is_none())
    }

    #[pyfunction]
    fn own(thing: Py<PyAny>) {
        OWNED.lock().unwrap().push(thing);
    }
}
