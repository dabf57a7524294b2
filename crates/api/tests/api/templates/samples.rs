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
    [pictures(), videos(), analyses(), subtitles()].into_iter().flatten().collect()
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

fn analyses() -> Vec<Sample> {
    vec![
        sample(
            "AIAnalysis",
            Some(28),
            json!({"TagConfigure": {"Switch": "ON"}, "CoverConfigure": {"Switch": "OFF"}}),
            json!({"TagConfigure": {"Switch": "OFF"}}),
        ),
        sample(
            "AIRecognition",
            Some(10_101),
            json!({
                "FaceConfigure": {
                    "Switch": "ON", "Score": 80.5, "DefaultLibraryLabelSet": ["sport", "entertainment"],
                    "UserDefineLibraryLabelSet": [], "FaceLibrary": "Default",
                },
                "AsrFullTextConfigure": {"Switch": "ON", "SubtitleFormat": "", "SourceLanguage": "en"},
            }),
            json!({"FaceConfigure": {"Score": 90}}),
        ),
        sample(
            "ContentReview",
            Some(10),
            json!({
                "PornConfigure": {"ImgReviewInfo": {
                    "Switch": "ON", "LabelSet": ["sexy", "porn"], "BlockConfidence": 80, "ReviewConfidence": 70,
                }},
                "UserDefineConfigure": {"AsrReviewInfo": {
                    "Switch": "OFF", "LabelSet": ["own"], "BlockConfidence": 100, "ReviewConfidence": 75,
                }},
            }),
            json!({"PornConfigure": {"ImgReviewInfo": {"BlockConfidence": 81}}}),
        ),
        sample(
            "QualityControl",
            Some(40),
            json!({
                "QualityControlItemSet": [
                    {"Type": "Mosaic", "Switch": "ON", "Sampling": "Time", "IntervalTime": 1000, "Threshold": "50"},
                    {"Type": "NoVoice", "Switch": "OFF", "Sampling": "", "Duration": 0},
                ],
                "RecordFormat": "PNG",
                "Strategy": {
                    "StrategyType": "TimeSpotCheck", "TimeSpotCheck": {"CheckDuration": 10, "CirclesNumber": 0},
                },
            }),
            json!({"Strategy": {"TimeSpotCheck": {"CheckDuration": 20}}}),
        ),
        sample(
            "LiveRecord",
            Some(10),
            json!({
                "HLSConfigure": {"ItemDuration": 10, "Interval": 1800, "ContinueTimeout": 60}, "RecordType": "auto",
            }),
            json!({"HLSConfigure": {"ItemDuration": 11}}),
        ),
        sample(
            "ProcessImage",
            None,
            json!({
                "ProcessImageTemplate": {
                    "EncodeConfig": {"Format": "PNG", "Quality": 90},
                    "EnhanceConfig": {"SharpEnhance": {"Switch": "ON", "Intensity": 0.5}},
                },
                "StdExtInfo": "{}",
            }),
            json!({"ProcessImageTemplate": {"EncodeConfig": {"Quality": 91}}}),
        ),
    ]
}

fn subtitles() -> Vec<Sample> {
    let area = json!({"LeftTopX": 0.1, "LeftTopY": 0.7, "RightBottomX": 0.9, "RightBottomY": 1.0, "Unit": 1});
    vec![
        sample(
            "SmartSubtitle",
            Some(122),
            json!({
                "VideoSrcLanguage": "zh", "SubtitleType": 2, "SubtitleFormat": "srt", "TranslateSwitch": "ON",
                "TranslateDstLanguage": "en/ja", "ProcessType": 0, "SpeakerMode": 1, "SpeakerLabel": 1,
                "AsrHotWordsConfigure": {"Switch": "OFF", "LibraryId": ""},
            }),
            json!({"TranslateDstLanguage": "ja"}),
        ),
        sample(
            "SmartErase",
            Some(101),
            json!({
                "EraseType": "watermark",
                "EraseWatermarkConfig": {
                    "WatermarkEraseMethod": "custom", "WatermarkModel": "basic", "AutoAreas": [],
                    "CustomAreas": [{"BeginMs": 0, "EndMs": 5000, "Areas": [area]}],
                },
            }),
            // The specification requires both words in changes too; areas that are not named stay.
            json!({"EraseWatermarkConfig": {"WatermarkEraseMethod": "custom", "WatermarkModel": "advanced"}}),
        ),
        sample(
            "SubtitleEmbed",
            Some(4),
            json!({"SubtitleEmbedConfig": {
                "FontType": "kai.ttf", "FontSize": 40, "FontColor": "0xff0000", "FontAlpha": 0.9, "PosY": 5,
                "PosYUnit": 1, "SubtitleBoardConfig": {"SubtitleBoardConfigSwitch": 1, "BoardAlpha": 0},
            }}),
            json!({"SubtitleEmbedConfig": {"FontSize": 41}}),
        ),
        sample(
            "BlindWatermark",
            None,
            json!({"Type": "blind-basic", "TextContent": "mine", "Strength": "stronger"}),
            json!({"TextContent": "ours"}),
        ),
    ]
}
