//! The codes of the API's error envelope, one constructor each.
//!
//! The misspelt ones are misspelt by the vendor; clients compare them letter by letter.

use crate::ApiError;

macro_rules! codes {
    ($($name:ident = $code:literal,)*) => {
        $(
            #[doc = concat!("`", $code, "`")]
            pub fn $name(message: impl Into<String>) -> ApiError {
                ApiError::new($code, message)
            }
        )*

        /// Every code, sorted.
        pub static ALL: &[&str] = &[$($code),*];
    };
}

codes! {
    action_offline = "ActionOffline",
    auth_failure = "AuthFailure",
    auth_failure_invalid_authorization = "AuthFailure.InvalidAuthorization",
    auth_failure_invalid_secret_id = "AuthFailure.InvalidSecretId",
    auth_failure_mfa_failure = "AuthFailure.MFAFailure",
    auth_failure_secret_id_not_found = "AuthFailure.SecretIdNotFound",
    auth_failure_signature_expire = "AuthFailure.SignatureExpire",
    auth_failure_signature_failure = "AuthFailure.SignatureFailure",
    auth_failure_token_failure = "AuthFailure.TokenFailure",
    auth_failure_unauthorized_operation = "AuthFailure.UnauthorizedOperation",
    dry_run_operation = "DryRunOperation",
    failed_operation = "FailedOperation",
    failed_operation_bucket_notify_already_exist = "FailedOperation.BucketNotifyAlreadyExist",
    failed_operation_cos_status_inavlid = "FailedOperation.CosStatusInavlid",
    failed_operation_generate_resource = "FailedOperation.GenerateResource",
    failed_operation_get_source_notify = "FailedOperation.GetSourceNotify",
    failed_operation_invalid_mps_user = "FailedOperation.InvalidMpsUser",
    failed_operation_invalid_user = "FailedOperation.InvalidUser",
    failed_operation_net_work_error = "FailedOperation.NetWorkError",
    failed_operation_set_source_notify = "FailedOperation.SetSourceNotify",
    failed_operation_task_not_found = "FailedOperation.TaskNotFound",
    failed_operation_user_arrears = "FailedOperation.UserArrears",
    internal_error = "InternalError",
    internal_error_access_db_error = "InternalError.AccessDBError",
    internal_error_gen_definition = "InternalError.GenDefinition",
    internal_error_recognition_error = "InternalError.RecognitionError",
    internal_error_upload_watermark_error = "InternalError.UploadWatermarkError",
    invalid_action = "InvalidAction",
    invalid_parameter = "InvalidParameter",
    invalid_parameter_input_info = "InvalidParameter.InputInfo",
    invalid_parameter_invalid_url = "InvalidParameter.InvalidUrl",
    invalid_parameter_no_input_specified = "InvalidParameter.NoInputSpecified",
    invalid_parameter_value = "InvalidParameterValue",
    invalid_parameter_value_asr_hot_words_configure = "InvalidParameterValue.AsrHotWordsConfigure",
    invalid_parameter_value_asr_hot_words_library_id = "InvalidParameterValue.AsrHotWordsLibraryId",
    invalid_parameter_value_asr_hot_words_switch = "InvalidParameterValue.AsrHotWordsSwitch",
    invalid_parameter_value_audio_bitrate = "InvalidParameterValue.AudioBitrate",
    invalid_parameter_value_audio_channel = "InvalidParameterValue.AudioChannel",
    invalid_parameter_value_audio_codec = "InvalidParameterValue.AudioCodec",
    invalid_parameter_value_audio_data = "InvalidParameterValue.AudioData",
    invalid_parameter_value_audio_data_too_long = "InvalidParameterValue.AudioDataTooLong",
    invalid_parameter_value_audio_format = "InvalidParameterValue.AudioFormat",
    invalid_parameter_value_audio_sample_rate = "InvalidParameterValue.AudioSampleRate",
    invalid_parameter_value_auto_areas = "InvalidParameterValue.AutoAreas",
    invalid_parameter_value_bitrate = "InvalidParameterValue.Bitrate",
    invalid_parameter_value_block_confidence = "InvalidParameterValue.BlockConfidence",
    invalid_parameter_value_classifcation_configure = "InvalidParameterValue.ClassifcationConfigure",
    invalid_parameter_value_codec = "InvalidParameterValue.Codec",
    invalid_parameter_value_column_count = "InvalidParameterValue.ColumnCount",
    invalid_parameter_value_comment = "InvalidParameterValue.Comment",
    invalid_parameter_value_container = "InvalidParameterValue.Container",
    invalid_parameter_value_container_type = "InvalidParameterValue.ContainerType",
    invalid_parameter_value_coordinate_origin = "InvalidParameterValue.CoordinateOrigin",
    invalid_parameter_value_cover_configure = "InvalidParameterValue.CoverConfigure",
    invalid_parameter_value_custom_areas = "InvalidParameterValue.CustomAreas",
    invalid_parameter_value_default_library_label_set = "InvalidParameterValue.DefaultLibraryLabelSet",
    invalid_parameter_value_definition = "InvalidParameterValue.Definition",
    invalid_parameter_value_definitions = "InvalidParameterValue.Definitions",
    invalid_parameter_value_delete_default_template = "InvalidParameterValue.DeleteDefaultTemplate",
    invalid_parameter_value_destination_language = "InvalidParameterValue.DestinationLanguage",
    invalid_parameter_value_disable_higher_video_bitrate = "InvalidParameterValue.DisableHigherVideoBitrate",
    invalid_parameter_value_disable_higher_video_resolution = "InvalidParameterValue.DisableHigherVideoResolution",
    invalid_parameter_value_duplicated_text_content = "InvalidParameterValue.DuplicatedTextContent",
    invalid_parameter_value_duration_too_long = "InvalidParameterValue.DurationTooLong",
    invalid_parameter_value_empty_detect_item = "InvalidParameterValue.EmptyDetectItem",
    invalid_parameter_value_erase_privacy_config = "InvalidParameterValue.ErasePrivacyConfig",
    invalid_parameter_value_erase_subtitle_config = "InvalidParameterValue.EraseSubtitleConfig",
    invalid_parameter_value_erase_type = "InvalidParameterValue.EraseType",
    invalid_parameter_value_erase_watermark_config = "InvalidParameterValue.EraseWatermarkConfig",
    invalid_parameter_value_face_duplicate = "InvalidParameterValue.FaceDuplicate",
    invalid_parameter_value_face_library = "InvalidParameterValue.FaceLibrary",
    invalid_parameter_value_face_score = "InvalidParameterValue.FaceScore",
    invalid_parameter_value_fill_type = "InvalidParameterValue.FillType",
    invalid_parameter_value_format = "InvalidParameterValue.Format",
    invalid_parameter_value_format_webp_lack_width_and_height = "InvalidParameterValue.FormatWebpLackWidthAndHeight",
    invalid_parameter_value_format_webp_width_and_height_both_zero = "InvalidParameterValue.FormatWebpWidthAndHeightBothZero",
    invalid_parameter_value_fps = "InvalidParameterValue.Fps",
    invalid_parameter_value_frame_tag_configure = "InvalidParameterValue.FrameTagConfigure",
    invalid_parameter_value_function_arg = "InvalidParameterValue.FunctionArg",
    invalid_parameter_value_function_name = "InvalidParameterValue.FunctionName",
    invalid_parameter_value_gop = "InvalidParameterValue.Gop",
    invalid_parameter_value_height = "InvalidParameterValue.Height",
    invalid_parameter_value_hot_words_not_exist = "InvalidParameterValue.HotWordsNotExist",
    invalid_parameter_value_hotwords_format_error = "InvalidParameterValue.HotwordsFormatError",
    invalid_parameter_value_image_content = "InvalidParameterValue.ImageContent",
    invalid_parameter_value_image_template = "InvalidParameterValue.ImageTemplate",
    invalid_parameter_value_input_info = "InvalidParameterValue.InputInfo",
    invalid_parameter_value_invalid_content = "InvalidParameterValue.InvalidContent",
    invalid_parameter_value_invalid_operation_type = "InvalidParameterValue.InvalidOperationType",
    invalid_parameter_value_label_set = "InvalidParameterValue.LabelSet",
    invalid_parameter_value_limit = "InvalidParameterValue.Limit",
    invalid_parameter_value_modify_default_template = "InvalidParameterValue.ModifyDefaultTemplate",
    invalid_parameter_value_name = "InvalidParameterValue.Name",
    invalid_parameter_value_not_processing_task = "InvalidParameterValue.NotProcessingTask",
    invalid_parameter_value_object_library = "InvalidParameterValue.ObjectLibrary",
    invalid_parameter_value_ocr_switch = "InvalidParameterValue.OcrSwitch",
    invalid_parameter_value_pic_format_error = "InvalidParameterValue.PicFormatError",
    invalid_parameter_value_privacy_model = "InvalidParameterValue.PrivacyModel",
    invalid_parameter_value_privacy_targets = "InvalidParameterValue.PrivacyTargets",
    invalid_parameter_value_quality = "InvalidParameterValue.Quality",
    invalid_parameter_value_remove_audio = "InvalidParameterValue.RemoveAudio",
    invalid_parameter_value_remove_video = "InvalidParameterValue.RemoveVideo",
    invalid_parameter_value_repeat_type = "InvalidParameterValue.RepeatType",
    invalid_parameter_value_resolution = "InvalidParameterValue.Resolution",
    invalid_parameter_value_resolution_adaptive = "InvalidParameterValue.ResolutionAdaptive",
    invalid_parameter_value_review_confidence = "InvalidParameterValue.ReviewConfidence",
    invalid_parameter_value_row_count = "InvalidParameterValue.RowCount",
    invalid_parameter_value_sample_interval = "InvalidParameterValue.SampleInterval",
    invalid_parameter_value_sample_rate = "InvalidParameterValue.SampleRate",
    invalid_parameter_value_sample_type = "InvalidParameterValue.SampleType",
    invalid_parameter_value_service = "InvalidParameterValue.Service",
    invalid_parameter_value_session_context_too_long = "InvalidParameterValue.SessionContextTooLong",
    invalid_parameter_value_session_id = "InvalidParameterValue.SessionId",
    invalid_parameter_value_session_id_too_long = "InvalidParameterValue.SessionIdTooLong",
    invalid_parameter_value_sound_system = "InvalidParameterValue.SoundSystem",
    invalid_parameter_value_source_language = "InvalidParameterValue.SourceLanguage",
    invalid_parameter_value_source_text = "InvalidParameterValue.SourceText",
    invalid_parameter_value_src_file = "InvalidParameterValue.SrcFile",
    invalid_parameter_value_subtitle_embed_id = "InvalidParameterValue.SubtitleEmbedId",
    invalid_parameter_value_subtitle_erase_method = "InvalidParameterValue.SubtitleEraseMethod",
    invalid_parameter_value_subtitle_format = "InvalidParameterValue.SubtitleFormat",
    invalid_parameter_value_subtitle_lang = "InvalidParameterValue.SubtitleLang",
    invalid_parameter_value_subtitle_model = "InvalidParameterValue.SubtitleModel",
    invalid_parameter_value_subtitle_type = "InvalidParameterValue.SubtitleType",
    invalid_parameter_value_svg_template = "InvalidParameterValue.SvgTemplate",
    invalid_parameter_value_svg_template_height = "InvalidParameterValue.SvgTemplateHeight",
    invalid_parameter_value_svg_template_width = "InvalidParameterValue.SvgTemplateWidth",
    invalid_parameter_value_switch = "InvalidParameterValue.Switch",
    invalid_parameter_value_tehd_type = "InvalidParameterValue.TEHDType",
    invalid_parameter_value_tag_configure = "InvalidParameterValue.TagConfigure",
    invalid_parameter_value_task_id = "InvalidParameterValue.TaskId",
    invalid_parameter_value_text_alpha = "InvalidParameterValue.TextAlpha",
    invalid_parameter_value_text_content = "InvalidParameterValue.TextContent",
    invalid_parameter_value_text_template = "InvalidParameterValue.TextTemplate",
    invalid_parameter_value_trans_dst_lang = "InvalidParameterValue.TransDstLang",
    invalid_parameter_value_trans_switch = "InvalidParameterValue.TransSwitch",
    invalid_parameter_value_translate_dst_language = "InvalidParameterValue.TranslateDstLanguage",
    invalid_parameter_value_translate_switch = "InvalidParameterValue.TranslateSwitch",
    invalid_parameter_value_type = "InvalidParameterValue.Type",
    invalid_parameter_value_unknown_category = "InvalidParameterValue.UnknownCategory",
    invalid_parameter_value_use_original_pos = "InvalidParameterValue.UseOriginalPos",
    invalid_parameter_value_use_original_size = "InvalidParameterValue.UseOriginalSize",
    invalid_parameter_value_user_define_library_label_set = "InvalidParameterValue.UserDefineLibraryLabelSet",
    invalid_parameter_value_user_un_register = "InvalidParameterValue.UserUnRegister",
    invalid_parameter_value_video_bitrate = "InvalidParameterValue.VideoBitrate",
    invalid_parameter_value_video_codec = "InvalidParameterValue.VideoCodec",
    invalid_parameter_value_video_src_language = "InvalidParameterValue.VideoSrcLanguage",
    invalid_parameter_value_watermark_erase_method = "InvalidParameterValue.WatermarkEraseMethod",
    invalid_parameter_value_watermark_model = "InvalidParameterValue.WatermarkModel",
    invalid_parameter_value_width = "InvalidParameterValue.Width",
    invalid_parameter_value_x_pos = "InvalidParameterValue.XPos",
    invalid_parameter_value_y_pos = "InvalidParameterValue.YPos",
    invalid_request = "InvalidRequest",
    ip_in_blacklist = "IpInBlacklist",
    ip_not_in_whitelist = "IpNotInWhitelist",
    limit_exceeded_create_task = "LimitExceeded.CreateTask",
    limit_exceeded_too_much_hot_words = "LimitExceeded.TooMuchHotWords",
    limit_exceeded_too_much_large_hot_words = "LimitExceeded.TooMuchLargeHotWords",
    limit_exceeded_too_much_template = "LimitExceeded.TooMuchTemplate",
    missing_parameter = "MissingParameter",
    no_such_product = "NoSuchProduct",
    no_such_version = "NoSuchVersion",
    request_limit_exceeded = "RequestLimitExceeded",
    request_limit_exceeded_global_region_uin_limit_exceeded = "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    request_limit_exceeded_ip_limit_exceeded = "RequestLimitExceeded.IPLimitExceeded",
    request_limit_exceeded_uin_limit_exceeded = "RequestLimitExceeded.UinLimitExceeded",
    request_size_limit_exceeded = "RequestSizeLimitExceeded",
    resource_in_use = "ResourceInUse",
    resource_insufficient = "ResourceInsufficient",
    resource_not_found = "ResourceNotFound",
    resource_not_found_cos_bucket_name_invalid = "ResourceNotFound.CosBucketNameInvalid",
    resource_not_found_cos_bucket_not_exist = "ResourceNotFound.CosBucketNotExist",
    resource_not_found_download_error = "ResourceNotFound.DownloadError",
    resource_not_found_person = "ResourceNotFound.Person",
    resource_not_found_task_not_found = "ResourceNotFound.TaskNotFound",
    resource_not_found_template_not_exist = "ResourceNotFound.TemplateNotExist",
    resource_not_found_user_unregister = "ResourceNotFound.UserUnregister",
    resource_not_found_word = "ResourceNotFound.Word",
    resource_unavailable = "ResourceUnavailable",
    response_size_limit_exceeded = "ResponseSizeLimitExceeded",
    service_unavailable = "ServiceUnavailable",
    unauthorized_operation = "UnauthorizedOperation",
    unknown_parameter = "UnknownParameter",
    unsupported_operation = "UnsupportedOperation",
    unsupported_operation_text_too_long = "UnsupportedOperation.TextTooLong",
    unsupported_protocol = "UnsupportedProtocol",
    unsupported_region = "UnsupportedRegion",
}

/// `InvalidParameterValue.<member>` where the API has such a code, else plain `InvalidParameterValue`.
pub fn value_of(member: &str, message: impl Into<String>) -> ApiError {
    const FAMILY: &str = "InvalidParameterValue";
    let known = ALL.iter().find(|code| {
        code.strip_prefix(FAMILY).and_then(|rest| rest.strip_prefix('.')).is_some_and(|name| name == member)
    });
    ApiError::new(*known.unwrap_or(&FAMILY), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_every_code_once_and_in_order() {
        assert!(ALL.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn names_the_member_only_where_the_vendor_has_a_code_for_it() {
        assert_eq!(value_of("Width", "too wide").code, "InvalidParameterValue.Width");
        assert_eq!(value_of("Nonsense", "no").code, "InvalidParameterValue");
    }
}
