"""The vendor's Python SDK, unchanged, through the life of a template of every family."""

import base64
import inspect
import json
import re
import urllib.request
import warnings
import zlib

import pytest
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.mps.v20190612 import mps_client

from test_python_sdk import client, request

VIDEO = {"Codec": "h264", "Fps": 25, "Bitrate": 1000, "Width": 0, "Height": 540, "ResolutionAdaptive": "open",
         "FillType": "black"}
AUDIO = {"Codec": "aac", "Bitrate": 64, "SampleRate": 44100, "AudioChannel": 2}
AREA = {"LeftTopX": 0.1, "LeftTopY": 0.7, "RightBottomX": 0.9, "RightBottomY": 1.0, "Unit": 1}

# Family: what is made, and a change of it.
FAMILIES = {
    "Transcode": (
        {"Container": "mp4", "VideoTemplate": VIDEO, "AudioTemplate": AUDIO},
        {"VideoTemplate": {"Height": 720}}),
    "AdaptiveDynamicStreaming": (
        {"Format": "HLS", "SegmentType": "ts-segment",
         "StreamInfos": [{"Video": VIDEO, "Audio": AUDIO, "RemoveAudio": 0, "RemoveVideo": 0}]},
        {"DisableHigherVideoResolution": 1}),
    "Watermark": (
        {"Type": "text", "CoordinateOrigin": "TopRight", "XPos": "10px", "YPos": "5%",
         "TextTemplate": {"FontType": "arial.ttf", "FontSize": "40px", "FontColor": "0xFFFFFF", "FontAlpha": 0.5,
                          "TextContent": "live"}},
        {"XPos": "20px"}),
    "SnapshotByTimeOffset": ({"Width": 640, "Height": 0, "Format": "png", "FillType": "white"}, {"Width": 320}),
    "SampleSnapshot": ({"SampleType": "Time", "SampleInterval": 5, "Format": "jpg"}, {"SampleInterval": 6}),
    "ImageSprite": (
        {"SampleType": "Percent", "SampleInterval": 5, "RowCount": 3, "ColumnCount": 4, "Width": 160},
        {"ColumnCount": 5}),
    "AnimatedGraphics": ({"Fps": 10, "Format": "webp", "Width": 320, "Quality": 80.5}, {"Fps": 12}),
    "AIAnalysis": (
        {"TagConfigure": {"Switch": "ON"}, "CoverConfigure": {"Switch": "OFF"}}, {"TagConfigure": {"Switch": "OFF"}}),
    "AIRecognition": (
        {"FaceConfigure": {"Switch": "ON", "Score": 80.5, "FaceLibrary": "All"},
         "AsrFullTextConfigure": {"Switch": "ON", "SubtitleFormat": "vtt", "SourceLanguage": "zh"}},
        {"FaceConfigure": {"Score": 90}}),
    "ContentReview": (
        {"PornConfigure": {"ImgReviewInfo": {"Switch": "ON", "LabelSet": ["sexy", "porn"], "BlockConfidence": 80,
                                             "ReviewConfidence": 70}}},
        {"PornConfigure": {"ImgReviewInfo": {"BlockConfidence": 85}}}),
    "QualityControl": (
        {"QualityControlItemSet": [{"Type": "Blur", "Switch": "ON", "Sampling": "Time", "IntervalTime": 1000,
                                    "Duration": 0, "Threshold": "70"}]},
        {"QualityControlItemSet": [{"Type": "Noise", "Switch": "OFF"}]}),
    "LiveRecord": (
        {"HLSConfigure": {"ItemDuration": 10, "Interval": 600, "ContinueTimeout": 0}, "RecordType": "video"},
        {"RecordType": "auto"}),
    "SmartSubtitle": (
        {"VideoSrcLanguage": "zh", "SubtitleType": 2, "SubtitleFormat": "vtt", "TranslateSwitch": "ON",
         "TranslateDstLanguage": "en/ja"},
        {"TranslateDstLanguage": "en"}),
    "SmartErase": (
        {"EraseType": "watermark", "EraseWatermarkConfig": {
            "WatermarkEraseMethod": "custom", "WatermarkModel": "basic",
            "CustomAreas": [{"BeginMs": 0, "EndMs": 1000, "Areas": [AREA]}]}},
        {"EraseWatermarkConfig": {"WatermarkEraseMethod": "custom", "WatermarkModel": "advanced"}}),
    "SubtitleEmbed": (
        {"SubtitleEmbedConfig": {"FontType": "kai.ttf", "FontSize": 40, "FontColor": "0xFF0000", "FontAlpha": 0.9,
                                 "SubtitleBoardConfig": {"SubtitleBoardConfigSwitch": 1, "BoardAlpha": 0.5}}},
        {"SubtitleEmbedConfig": {"FontSize": 41}}),
    "BlindWatermark": (
        {"Type": "blind-basic", "TextContent": "mine", "Strength": "stronger"}, {"Strength": "strongest"}),
    "ProcessImage": (
        {"ProcessImageTemplate": {"EncodeConfig": {"Format": "PNG", "Quality": 90}}},
        {"ProcessImageTemplate": {"EncodeConfig": {"Quality": 91}}}),
}
PRESETS = {"Transcode": 100010, "AdaptiveDynamicStreaming": 10, "SnapshotByTimeOffset": 10, "SampleSnapshot": 10,
           "ImageSprite": 10, "AnimatedGraphics": 20000, "AIAnalysis": 26, "AIRecognition": 10101, "ContentReview": 10,
           "QualityControl": 30, "LiveRecord": 10, "SmartSubtitle": 122, "SmartErase": 101, "SubtitleEmbed": 4}


def call(sdk, verb, family, **params):
    name = f"{verb}{family}Template{'s' if verb == 'Describe' else ''}"
    with warnings.catch_warnings():
        # The SDK warns of members that its models do not know.
        warnings.simplefilter("error")
        return getattr(sdk, name)(request(f"{name}Request", params))


def listed(sdk, family, **filters):
    return getattr(call(sdk, "Describe", family, **filters), f"{family}TemplateSet")


def plain(item):
    return json.loads(item.to_json_string())


def merged(base, patch):
    if not isinstance(base, dict) or not isinstance(patch, dict):
        return patch
    return {**base, **{name: merged(base.get(name), value) for name, value in patch.items()}}


def contains(item, wanted):
    """Whether everything of `wanted` stands in `item` with the same value; lists item by item."""
    if isinstance(wanted, dict):
        return isinstance(item, dict) and all(contains(item.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(item, list) and len(item) == len(wanted) and all(map(contains, item, wanted))
    return item == wanted


def told_as(family, body):
    """A listing has another word for one member."""
    if family == "ProcessImage":
        return {"ProcessImageConfig": body["ProcessImageTemplate"]}
    return body


def test_every_family_that_the_sdk_knows_is_here():
    names = [name for name, _ in inspect.getmembers(mps_client.MpsClient, inspect.isfunction)]
    known = {found[1] for name in names if (found := re.fullmatch(r"Create(\w+)Template", name))}
    assert known == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_template_lives_a_whole_life(server, family):
    sdk, (body, patch) = client(server), FAMILIES[family]
    definition = int(call(sdk, "Create", family, Name="life", Comment="of a template", **body).Definition)
    item = plain(listed(sdk, family, Definitions=[definition])[0])
    assert int(item["Definition"]) == definition
    assert (item["Name"], item["Comment"]) == ("life", "of a template")
    assert contains(item, told_as(family, body)), item

    call(sdk, "Modify", family, Definition=definition, **patch)
    changed = plain(listed(sdk, family, Definitions=[definition])[0])
    wanted = merged(item, told_as(family, patch))
    assert contains(changed, {**wanted, "UpdateTime": changed["UpdateTime"]}), changed

    call(sdk, "Modify", family, Definition=definition, Name="second")
    assert definition in [int(item.Definition) for item in listed(sdk, family, Name="second")]
    call(sdk, "Delete", family, Definition=definition)
    assert not listed(sdk, family, Definitions=[definition])
    with pytest.raises(TencentCloudSDKException) as refused:
        call(sdk, "Delete", family, Definition=definition)
    assert refused.value.get_code() == "ResourceNotFound.TemplateNotExist"


@pytest.mark.parametrize("family", PRESETS)
def test_a_preset_is_listed_and_stays(server, family):
    sdk, definition = client(server), PRESETS[family]
    item, = listed(sdk, family, Definitions=[definition], Type="Preset")
    assert (int(item.Definition), item.Type) == (definition, "Preset")
    for verb, code in (("Modify", "ModifyDefaultTemplate"), ("Delete", "DeleteDefaultTemplate")):
        with pytest.raises(TencentCloudSDKException) as refused:
            call(sdk, verb, family, Definition=definition)
        assert refused.value.get_code() == f"InvalidParameterValue.{code}"


def png():
    chunk = lambda name, data: (len(data).to_bytes(4) + name + data + zlib.crc32(name + data).to_bytes(4))
    header = (1).to_bytes(4) * 2 + bytes([8, 0, 0, 0, 0])
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80"))
            + chunk(b"IEND", b""))


def test_the_picture_of_a_watermark_is_read_at_its_address(server):
    sdk = client(server)
    made = call(sdk, "Create", "Watermark", Type="image",
                ImageTemplate={"ImageContent": base64.b64encode(png()).decode(), "Width": "20%"})
    item, = listed(sdk, "Watermark", Definitions=[made.Definition])
    assert item.ImageTemplate.ImageUrl == made.ImageUrl
    with urllib.request.urlopen(made.ImageUrl, timeout=10) as answer:
        assert (answer.headers["Content-Type"], answer.read()) == ("image/png", png())
    with pytest.raises(TencentCloudSDKException) as refused:
        call(sdk, "Modify", "Watermark", Definition=made.Definition,
             ImageTemplate={"ImageContent": base64.b64encode(png()[:40]).decode()})
    assert refused.value.get_code() == "InvalidParameterValue.ImageContent"


def test_hotwords_live_a_whole_life(server):
    sdk = client(server)
    library = sdk.CreateAsrHotwords(request("CreateAsrHotwordsRequest", {
        "Type": 0, "Name": "films", "Content": "tide|10,ark|100"})).HotwordsId
    template = call(sdk, "Create", "SmartSubtitle", Name="bound", VideoSrcLanguage="zh", SubtitleType=0,
                    AsrHotWordsConfigure={"Switch": "ON", "LibraryId": library}).Definition
    describe = lambda: sdk.DescribeAsrHotwords(request("DescribeAsrHotwordsRequest", {"HotwordsId": library}))
    assert (describe().Status, [word.Text for word in describe().HotWords]) == (1, ["tide", "ark"])
    delete = lambda: sdk.DeleteAsrHotwords(request("DeleteAsrHotwordsRequest", {"HotwordsId": library}))
    with pytest.raises(TencentCloudSDKException) as refused:
        delete()
    assert refused.value.get_code() == "ResourceInUse"
    call(sdk, "Delete", "SmartSubtitle", Definition=template)
    sdk.ModifyAsrHotwords(request("ModifyAsrHotwordsRequest", {"HotwordsId": library, "Content": "bay|1"}))
    assert describe().Content == "bay|1"
    delete()
    every = sdk.DescribeAsrHotwordsList(request("DescribeAsrHotwordsListRequest", {}))
    assert library not in [item.HotwordsId for item in every.AsrHotwordsSet]


def test_word_samples_live_a_whole_life(server):
    sdk = client(server)
    sdk.CreateWordSamples(request("CreateWordSamplesRequest", {
        "Usages": ["Recognition"], "Words": [{"Keyword": "tide", "Tags": ["sea"]}, {"Keyword": "ark"}]}))
    sdk.ModifyWordSample(request("ModifyWordSampleRequest", {
        "Keyword": "tide", "TagOperationInfo": {"Type": "add", "Tags": ["moon"]}}))
    find = lambda: sdk.DescribeWordSamples(request("DescribeWordSamplesRequest", {"Keywords": ["tide", "ark"]}))
    tags = {word.Keyword: word.TagSet for word in find().WordSet}
    assert tags == {"tide": ["sea", "moon"], "ark": []}
    sdk.DeleteWordSamples(request("DeleteWordSamplesRequest", {"Keywords": ["tide", "ark"]}))
    assert find().TotalCount == 0
