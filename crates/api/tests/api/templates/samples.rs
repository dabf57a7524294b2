//! A template of each family that is accepted, and a change to it.

use serde_json::{Value, json};

/// A sample of one family.
pub(super) struct Sample {
    /// The middle of the names of the family's actions.
    pub(super) stem: &'static str,
    /// What is asked for, without name and comment.
    pub(super) body: Value,
    /// A change of one member.
    pub(super) patch: Value,
    /// A preset, where the family has one.
    pub(super) preset: Option<i64>,
    /// The largest page.
    pub(super) most_per_page: u64,
}

impl Sample {
    pub(super) fn action(&self, verb: &str) -> String {
        let plural = if verb == "Describe" { "s" } else { "" };
        format!("{verb}{}Template{plural}", self.stem)
    }

    pub(super) fn list_member(&self) -> String {
        format!("{}TemplateSet", self.stem)
    }

    /// A Create request.
    pub(super) fn request(&self) -> Value {
        let mut request = self.body.clone();
        request["Name"] = json!("mine");
        request["Comment"] = json!("for phones");
        request
    }
}

fn sample(stem: &'static str, preset: Option<i64>, body: Value, patch: Value) -> Sample {
    let most_per_page = if matches!(stem, "AIRecognition" | "ContentReview") { 50 } else { 100 };
    Sample { stem, body, patch, preset, most_per_page }
}

/// A sample of every family.
pub(super) fn all() -> Vec<Sample> {
    [pictures(), videos()].into_iter().flatten().collect()
}

fn pictures() -> Vec<Sample> {
    vec![
        sample(
            "SnapshotByTimeOffset",
            Some(10),
            json!({"Width": 640, "Height": 0, "ResolutionAdaptive": "close", "Format": "png", "FillType": "white"}),
            json!({"FillType": "gauss"}),
        ),
        sample(
            "SampleSnapshot",
            Some(10),
            json!({"SampleType": "Time", "SampleInterval": 5, "Width": 640, "Format": "webp"}),
            json!({"SampleInterval": 7}),
        ),
        sample(
            "ImageSprite",
            Some(10),
            json!({"SampleType": "Percent", "SampleInterval": 2, "RowCount": 3, "ColumnCount": 4, "Height": 128}),
            json!({"RowCount": 5}),
        ),
        sample(
            "AnimatedGraphics",
            Some(20_000),
            json!({"Fps": 15, "Width": 320, "Format": "webp", "Quality": 80.5}),
            json!({"Fps": 10}),
        ),
        sample(
            "Watermark",
            None,
            json!({
                "Type": "text", "CoordinateOrigin": "BottomRight", "XPos": "10%", "YPos": "20px",
                "TextTemplate": {
                    "FontType": "arial.ttf", "FontSize": "40px", "FontColor": "0xff00FF", "FontAlpha": 0.5,
                    "TextContent": "live",
                },
            }),
            json!({"TextTemplate": {"FontSize": "60px"}}),
        ),
    ]
}

fn videos() -> Vec<Sample> {
    let stream = |height: u32, kbps: u32| {
        json!({
            "Video": {
                "Codec": "h264", "Fps": 25, "Bitrate": kbps, "Height": height, "ResolutionAdaptive": "open",
                "FillType": "black",
            },
            "Audio": {"Codec": "aac", "Bitrate": 64, "SampleRate": 44_100, "AudioChannel": 2},
            "RemoveAudio": 0, "RemoveVideo": 0,
        })
    };
    vec![sample(
        "AdaptiveDynamicStreaming",
        Some(10),
        json!({"Format": "HLS", "SegmentType": "mp4-segment", "StreamInfos": [stream(720, 1800), stream(360, 400)]}),
        json!({"DisableHigherVideoBitrate": 1}),
    )]
}
