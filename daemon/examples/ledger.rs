//! Appends to an audit ledger with many callers at once, and prints each receipt: what the tests of
//! crashes kill, and what measures a disk: `ledger FOLDER CALLERS [RECORDS]`.
//!
//! Without RECORDS it goes on until it is killed. A line is `kept SEQUENCE HEAD HASH`, the head by its record's number, or `refused REASON`.

use std::io::Write;
use std::path::PathBuf;

use countersign_daemon::ledger::{Ledger, Options, Receipt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().ok_or("which FOLDER?")?);
    let callers: u64 = arguments.next().ok_or("how many CALLERS?")?.parse()?;
    let records: u64 = arguments.next().map_or(Ok(u64::MAX), |text| text.parse())?;
    let options = Options { rotate_at_bytes: 32 * 1024, ..Options::new("example") };
    let ledger = Ledger::open(&folder, options)?;
    let appending = (0..callers).map(|caller| {
        let ledger = ledger.clone();
        tokio::spawn(async move {
            for number in 0..records / callers {
                let record = serde_json::json!({ "caller": caller, "number": number });
                let line = match ledger.append("example", &record).await {
                    Ok(Receipt { sequence, head }) => {
                        format!("kept {sequence} {} {}\n", head.sequence, head.hash)
                    }
                    Err(error) => format!("refused {error}\n"),
                };
                // One write a line, which a pipe takes whole.
                if std::io::stdout().write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        })
    });
    let appending: Vec<_> = appending.collect();
    for caller in appending {
        caller.await?;
    }
    Ok(())
}
