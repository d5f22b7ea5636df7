//! What an example says of its options.

use std::process::ExitCode;

/// The options of the command line, where the program is to run. If not, prints the help that was
/// asked for (`None`) or the error, and returns the exit code.
pub fn options<T>(help: &str, parsed: Result<Option<T>, lexopt::Error>) -> Result<T, ExitCode> {
    match parsed {
        Ok(Some(options)) => Ok(options),
        Ok(None) => {
            println!("{help}");
            Err(ExitCode::SUCCESS)
        }
        Err(error) => {
            eprintln!("{error}; --help shows the options");
            Err(ExitCode::from(2))
        }
    }
}
