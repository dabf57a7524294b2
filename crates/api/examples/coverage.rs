//! Prints, as JSON, what each built action refuses; `cargo xtask coverage` makes a page of it.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", serde_json::to_string(&mps_api::coverage())?);
    Ok(())
}
