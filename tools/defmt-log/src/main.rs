//! `defmt-log IMAGE LOG`: prints the lines that an image has logged with defmt. LOG holds the bytes
//! as they came; `/dev/stdin` takes them from a pipe.

use anyhow::{Context, Result, bail};
use defmt_decoder::{DecodeError, Table};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [image, log] = &arguments[..] else { bail!("usage: defmt-log IMAGE LOG") };
    let read = |file| std::fs::read(file).with_context(|| format!("cannot read {file}"));
    let table = Table::parse(&read(image)?)?.context("the image has no texts of defmt")?;
    let mut decoder = table.new_stream_decoder();
    decoder.received(&read(log)?);
    loop {
        match decoder.decode() {
            Ok(frame) => println!("{}", frame.display(false)),
            Err(DecodeError::UnexpectedEof) => return Ok(()),
            Err(DecodeError::Malformed) => bail!("the log holds what is no frame of defmt"),
        }
    }
}
