//! The size of a binary as it is shipped.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::{Context as _, Result, ensure};
use object::{Object as _, ObjectSegment as _, read::elf::ElfFile64};
use tokio::process::Command;

use crate::harness::{folders, statistics::float};

/// Bytes of a copy without symbols.
pub(super) async fn stripped(binary: &Path) -> Result<f64> {
    let folder = folders::temporary("stripped")?;
    let copy = folder.path().join("copy");
    let status = Command::new("strip")
        .arg("-o")
        .arg(&copy)
        .arg(binary)
        .status();
    match status.await {
        Ok(status) => {
            ensure!(status.success(), "the binary can't be stripped");
            Ok(float(fs::metadata(&copy)?.len()))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("strip is not installed: the size is that of what is loaded");
            loaded(binary)
        }
        Err(error) => Err(error).context("could not run strip"),
    }
}

/// Bytes up to the end of what is loaded; only symbols, and what says where sections are, come after it.
fn loaded(binary: &Path) -> Result<f64> {
    let bytes = fs::read(binary)?;
    let file: ElfFile64<'_> =
        ElfFile64::parse(&*bytes).context("this is no binary of this system")?;
    let end = |(offset, length): (u64, u64)| offset + length;
    let ends = file.segments().map(|segment| end(segment.file_range()));
    Ok(float(ends.max().context("nothing is loaded")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_stripped_binary_is_little_more_than_what_is_loaded() {
        let this = std::env::current_exe().unwrap();
        let (stripped, loaded) = (stripped(&this).await.unwrap(), loaded(&this).unwrap());
        let whole = float(fs::metadata(&this).unwrap().len());
        assert!(
            loaded <= stripped && stripped < whole,
            "{loaded} {stripped} {whole}"
        );
        assert!(stripped - loaded < 64.0 * 1024.0, "{loaded} {stripped}");
        assert!(super::loaded(Path::new("/proc/self/status")).is_err());
    }
}
