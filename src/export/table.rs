//! Writes the files of a table, and reads which traces are in one.

use std::fmt::Display;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::record::RecordWriter;

use crate::files::AtomicFile;

/// A file of an export that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct ExportError {
    path: String,
    reason: String,
}

impl ExportError {
    pub(super) fn new(path: &Path, error: impl Display) -> ExportError {
        ExportError { path: path.display().to_string(), reason: error.to_string() }
    }
}

/// A file in the making. Engines do not see it: it has another name until it is whole.
pub(super) struct Table {
    path: PathBuf,
    file: AtomicFile,
    writer: SerializedFileWriter<File>,
}

impl Table {
    /// Begins a file with the columns of `Row`.
    pub(super) fn create<Row>(path: PathBuf) -> Result<Table, ExportError>
    where
        for<'a> &'a [Row]: RecordWriter<Row>,
    {
        let begin = || -> Result<_, Box<dyn std::error::Error>> {
            let file = AtomicFile::create(&path)?;
            let none: &[Row] = &[];
            let writer = SerializedFileWriter::new(file.writer()?, none.schema()?, properties())?;
            Ok((file, writer))
        };
        let (file, writer) = begin().map_err(|error| ExportError::new(&path, error))?;
        Ok(Table { path, file, writer })
    }

    /// Adds a row group; none where there are no rows.
    pub(super) fn add<Row>(&mut self, rows: &[Row]) -> Result<(), ExportError>
    where
        for<'a> &'a [Row]: RecordWriter<Row>,
    {
        if rows.is_empty() {
            return Ok(());
        }
        let mut write = || {
            let mut group = self.writer.next_row_group()?;
            rows.write_to_row_group(&mut group)?;
            group.close().map(drop)
        };
        write().map_err(|error| ExportError::new(&self.path, error))
    }

    /// Ends the file and gives it its name. One that another export wrote of the same traces goes.
    pub(super) fn finish(self) -> Result<(), ExportError> {
        let Table { path, file, writer } = self;
        writer.close().map_err(|error| ExportError::new(&path, error))?;
        file.commit().map_err(|error| ExportError::new(&path, error))
    }
}

fn properties() -> WriterPropertiesPtr {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("refloop version ", env!("CARGO_PKG_VERSION")).to_owned());
    Arc::new(properties.build())
}

/// The traces of a file, each of which is a row group: the index at the file's end names the first value of its first column.
pub(super) fn traces(path: &Path) -> Result<Vec<String>, ExportError> {
    let read = || {
        let reader = SerializedFileReader::new(File::open(path)?)?;
        let mut traces = Vec::new();
        for group in reader.metadata().row_groups() {
            let least = group.columns().first().and_then(|column| column.statistics()?.min_bytes_opt());
            let least = least.ok_or_else(|| ParquetError::General("it was not written by refloop".to_owned()))?;
            traces.push(String::from_utf8_lossy(least).into_owned());
        }
        Ok(traces)
    };
    read().map_err(|error: ParquetError| ExportError::new(path, error))
}
