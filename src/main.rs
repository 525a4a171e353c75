//! Runs the command line and gives its exit code.

fn main() -> std::process::ExitCode {
    verifydesk::cli::main()
}
