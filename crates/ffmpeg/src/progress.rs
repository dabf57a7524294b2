//! What a running ffmpeg tells through `-progress`: lines of `key=value` in blocks that end with `progress=`.

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Time written so far, in microseconds of the output; never goes back.
    pub out_time_us: i64,
    /// Bytes written so far over all outputs; never goes back. 0 where the format does not tell.
    pub bytes: u64,
    /// Video frames written so far; 0 without video.
    pub frames: u64,
    /// Whether this is the last word.
    pub is_end: bool,
}

/// Gathers lines into blocks.
#[derive(Debug, Default)]
pub(crate) struct Parser {
    told: Progress,
}

impl Parser {
    /// Takes a line; at the end of a block gives how far the run has come.
    pub(crate) fn line(&mut self, line: &str) -> Option<Progress> {
        let (key, value) = line.trim().split_once('=')?;
        let value = value.trim();
        match key {
            // Some builds print the time before the first packet as a huge negative number, or as N/A.
            "out_time_us" => {
                let at = value.parse::<i64>().unwrap_or(0);
                self.told.out_time_us = self.told.out_time_us.max(at);
            }
            "total_size" => self.told.bytes = self.told.bytes.max(value.parse().unwrap_or(0)),
            "frame" => self.told.frames = self.told.frames.max(value.parse().unwrap_or(0)),
            "progress" => {
                self.told.is_end = value == "end";
                return Some(self.told);
            }
            _ => {}
        }
        None
    }

    /// Something that changes whenever the run moves.
    pub(crate) fn pulse(&self) -> (i64, u64, u64) {
        (self.told.out_time_us, self.told.bytes, self.told.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Progress> {
        let mut parser = Parser::default();
        text.lines().filter_map(|line| parser.line(line)).collect()
    }

    #[test]
    fn blocks_become_steps() {
        let told = read(
            "frame=10\nout_time_us=N/A\ntotal_size=N/A\nprogress=continue\n\
             frame=20\nbitrate=  10.0kbits/s\nout_time_us=1500000\ntotal_size=900\nprogress=continue\n\
             out_time_us=2000000\ntotal_size=1200\nprogress=end\n",
        );
        let at = |out_time_us, bytes, frames, is_end| Progress { out_time_us, bytes, frames, is_end };
        assert_eq!(told, [at(0, 0, 10, false), at(1_500_000, 900, 20, false), at(2_000_000, 1200, 20, true)]);
    }

    #[test]
    fn never_goes_back() {
        let told =
            read("out_time_us=5\nprogress=continue\nout_time_us=-9223372036854775807\nprogress=continue\n");
        assert_eq!(told[1].out_time_us, 5);
    }

    #[test]
    fn foreign_lines_are_passed_over() {
        assert_eq!(read("hello\n=\nout_time_us\n\u{0}x=1\n"), []);
    }
}
