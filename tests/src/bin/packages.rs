//! Makes the package that standard input describes as JSON, for tests that play it.

use mps_e2e::packages::{Wish, make};

#[tokio::main]
async fn main() -> std::process::ExitCode {
    let wish: Wish = match serde_json::from_reader(std::io::stdin().lock()) {
        Ok(wish) => wish,
        Err(error) => {
            eprintln!("that is no description of a package: {error}");
            return std::process::ExitCode::FAILURE;
        }
    };
    match make(&wish).await {
        Ok(_) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.chain());
            std::process::ExitCode::FAILURE
        }
    }
}
