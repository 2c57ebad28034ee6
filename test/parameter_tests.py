# Copyright 2026 the depth_anything_ros authors
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""
For every setting that can be given to the node: the test in which it changes what comes out.

Whoever adds a setting adds its line here: the file under ``test/``, ``::`` and the function.
``test_settings.py`` fails for a setting without a line and for a line without a test.
``parameter_claims.py`` fails a test that leaves its setting at the default.
"""

CLOUD = 'ros/test_cloud_options.py'
DEPTH = 'ros/test_depth_options.py'
SCAN = 'ros/test_scan_options.py'
MODEL = 'test_model_settings.py'
REMOTE = 'remote/test_remote_engine.py'
BRIDGES = 'bridges/test_from_settings.py'
LIMITS = 'bridges/test_from_settings_limits.py'
SECRETS = 'bridges/test_encryption.py'
FUSION = 'reconstruction/test_fusion.py::test_each_setting_changes_the_scene'

TESTS = {
    'cameras': 'ros/test_node_cameras.py::test_three_cameras_share_one_model_and_nothing_else',
    'model.allowed': 'ros/test_set_model.py::test_only_allowed_models_are_switched_to',
    'model.engine':
        'engine/test_onnx.py::test_the_setting_engine_says_what_runs_the_network',
    'model.name': f'{MODEL}::test_the_name_says_which_model_answers',
    'model.architecture': f'{MODEL}::test_the_architecture_makes_a_lone_file_a_model',
    'model.download': f'{MODEL}::test_only_a_download_asks_the_hub',
    'model.device': f'{MODEL}::test_the_device_is_taken_or_refused',
    'model.device_timeout': 'engine/test_pool_hanging.py::test_the_setting_is_that_of_the_pool',
    'model.devices': 'engine/test_pool.py::test_the_setting_devices_loads_the_model_on_each',
    'model.precision': f'{MODEL}::test_the_precision_is_taken_or_refused',
    'model.compile': 'engine/test_fast_calls.py::test_the_setting_compile_compiles',
    'model.queue_size': 'ros/test_estimate_depth.py::'
                        'test_too_many_at_once_are_busy_and_topics_go_on',
    'model.max_batch': 'test_service.py::'
                       'test_batches_the_window_and_the_queue_come_from_the_settings',
    'model.batch_window': 'test_service.py::'
                          'test_batches_the_window_and_the_queue_come_from_the_settings',
    'model.request_share': f'{MODEL}::test_the_share_of_requests_reaches_the_queue',
    'engine.url': f'{REMOTE}::test_results_are_those_of_the_same_network_here',
    'engine.timeout': f'{REMOTE}::test_an_image_has_its_time_and_no_more',
    'engine.wait': f'{REMOTE}::test_a_server_is_waited_for_as_long_as_said',
    'depth.process_res': f'{MODEL}::test_the_processed_size',
    'depth.process_res_method': f'{MODEL}::test_the_processed_size',
    'depth.preprocess':
        'engine/test_da3_engine.py::test_the_setting_preprocess_changes_what_the_network_sees',
    'depth.output_size': f'{DEPTH}::test_output_size',
    'depth.minimum': f'{DEPTH}::test_minimum',
    'depth.maximum': f'{DEPTH}::test_maximum',
    'camera.pairing': 'ros/test_node_trouble.py::'
                      'test_the_latest_camera_info_is_enough_when_asked_for',
    'camera.focal_length': 'ros/test_node_trouble.py::'
                           'test_a_setting_stands_in_for_the_camera_info',
    'camera.fov_deg': 'ros/test_node_trouble.py::test_a_setting_stands_in_for_the_camera_info',
    'camera.image_transport': 'ros/test_node_inputs.py::'
                              'test_compressed_images_come_beside_the_remapped_topic',
    'camera.rectify': 'ros/test_node_inputs.py::'
                      'test_a_distorted_camera_is_rectified_and_described_by_p',
    'camera.image_geometry': 'ros/test_frames.py::test_somebody_says_that_the_image_is_rectified',
    'points.dense': f'{CLOUD}::test_dense',
    'points.color': f'{CLOUD}::test_color',
    'points.stride': f'{CLOUD}::test_stride',
    'points.voxel_size': f'{CLOUD}::test_voxel_size',
    'points.range_min': f'{CLOUD}::test_range_min',
    'points.range_max': f'{CLOUD}::test_range_max',
    'points.height_min': f'{CLOUD}::test_height_min',
    'points.height_max': f'{CLOUD}::test_height_max',
    'points.confidence_percentile': f'{CLOUD}::test_confidence_percentile',
    'points.edge_filter': f'{CLOUD}::test_edge_filter',
    'points.max_rate': f'{CLOUD}::test_max_rate',
    'points.target_frame': 'ros/test_target_frame.py::'
                           'test_only_the_cloud_moves_and_only_its_frame_changes',
    'points.tf_timeout': 'ros/test_target_frame.py::'
                         'test_how_long_a_transform_that_lags_is_waited_for',
    'sky.mode': f'{DEPTH}::test_the_mode_of_the_sky',
    'sky.far_distance': f'{DEPTH}::test_far_distance',
    'mount.height': f'{CLOUD}::test_the_height_of_the_mount',
    'mount.pitch_deg': f'{CLOUD}::test_the_pitch_of_the_mount',
    'scan.frame_id': f'{SCAN}::test_the_frame_of_the_scan',
    'scan.height_min': f'{SCAN}::test_the_scans_height_min',
    'scan.height_max': f'{SCAN}::test_the_scans_height_max',
    'scan.range_min': f'{SCAN}::test_the_scans_range_min',
    'scan.range_max': f'{SCAN}::test_the_scans_range_max',
    'node.autostart': 'ros/test_node_lifecycle.py::'
                      'test_without_autostart_it_can_be_configured_again',
    'node.input_qos': 'ros/test_node_quality_of_service.py::test_by_name',
    'node.output_qos': 'ros/test_node_quality_of_service.py::test_by_name',
    'diagnostic_updater.period': 'ros/test_diagnostics.py::test_the_period_changes_live',
    'diagnostic_updater.use_fqn':
        'ros/test_diagnostics.py::test_the_namespace_is_in_the_names_when_asked_for',
    'snapshot.directory': 'ros/test_save_snapshot.py::test_the_files_hold_the_frame',
    'snapshot.max_count': 'ros/test_save_snapshot.py::test_the_files_hold_the_frame',
    'snapshot.timeout':
        'ros/test_save_snapshot.py::test_a_camera_without_images_is_named',
    'node.statistics_period':
        'ros/test_services.py::test_the_numbers_go_to_the_log_when_a_period_is_set',
    'bridges.host': f'{BRIDGES}::test_an_open_port_needs_a_key_or_a_spoken_word',
    'bridges.allow_anonymous': f'{BRIDGES}::test_an_open_port_needs_a_key_or_a_spoken_word',
    'bridges.image_roots': f'{BRIDGES}::test_the_key_and_the_folders_of_pictures',
    'bridges.zmq.enabled': f'{BRIDGES}::test_nothing_is_served_unless_it_is_enabled',
    'bridges.zmq.port': f'{BRIDGES}::test_the_port',
    'bridges.zmq.curve_key': f'{SECRETS}::test_flags_and_settings_name_the_files',
    'bridges.zmq.curve_clients': f'{SECRETS}::test_flags_and_settings_name_the_files',
    'bridges.tcp.enabled': f'{BRIDGES}::test_nothing_is_served_unless_it_is_enabled',
    'bridges.tcp.port': f'{BRIDGES}::test_the_port',
    'bridges.tcp.tls_cert': f'{SECRETS}::test_flags_and_settings_name_the_files',
    'bridges.tcp.tls_key': f'{SECRETS}::test_flags_and_settings_name_the_files',
    'bridges.rest.enabled': f'{BRIDGES}::test_rest_with_its_pages_and_names',
    'bridges.rest.port': f'{BRIDGES}::test_rest_with_its_pages_and_names',
    'bridges.rest.tls_cert': f'{BRIDGES}::test_rest_encrypted',
    'bridges.rest.tls_key': f'{BRIDGES}::test_rest_encrypted',
    'bridges.rest.rate': f'{BRIDGES}::test_rest_and_the_share_of_a_client',
    'bridges.rest.in_flight': f'{BRIDGES}::test_rest_and_the_share_of_a_client',
    'bridges.rest.allow_image_url': f'{BRIDGES}::test_rest_and_pictures_by_url',
    'bridges.rest.image_url_hosts': f'{BRIDGES}::test_rest_and_pictures_by_url',
    'bridges.rest.cors_origins': f'{BRIDGES}::test_rest_with_its_pages_and_names',
    'bridges.rest.allowed_hosts': f'{BRIDGES}::test_rest_with_its_pages_and_names',
    'bridges.max_message': f'{LIMITS}::test_max_message',
    'bridges.zmq.max_clients': f'{LIMITS}::test_max_clients',
    'bridges.tcp.max_clients': f'{LIMITS}::test_max_clients',
    'bridges.rest.max_clients': f'{LIMITS}::test_max_clients',
    'bridges.zmq.request_timeout': f'{LIMITS}::test_request_timeout',
    'bridges.tcp.request_timeout': f'{LIMITS}::test_request_timeout',
    'bridges.rest.request_timeout': f'{LIMITS}::test_request_timeout',
    'bridges.tcp.idle_timeout': f'{LIMITS}::test_a_tcp_client_that_says_nothing_more',
    'bridges.tcp.message_timeout': f'{LIMITS}::test_a_tcp_client_that_says_nothing_more',
    'bridges.rest.idle_timeout': f'{LIMITS}::test_a_rest_client_that_says_nothing_more',
    'bridges.rest.message_timeout': f'{LIMITS}::test_a_rest_client_that_says_nothing_more',
    'bridges.rest.max_sessions': f'{LIMITS}::test_sessions',
    'bridges.rest.session_timeout': f'{LIMITS}::test_sessions',
    'bridges.rest.num_max_points': f'{LIMITS}::test_sessions',
    'bridges.rest.export_roots': f'{LIMITS}::test_exports_and_the_gallery',
    'bridges.rest.gallery': f'{LIMITS}::test_exports_and_the_gallery',
    'bridges.pub.enabled': 'bridges/test_publisher.py::test_settings_and_ports',
    'bridges.pub.port': 'bridges/test_publisher.py::test_settings_and_ports',
    'reconstruction.max_megapixels':
        'ros/test_reconstruct_services.py::test_the_limit_of_pixels_is_the_nodes',
    'reconstruction.conf_thresh_percentile': FUSION,
    'reconstruction.num_max_points': FUSION,
    'reconstruction.voxel_size': FUSION,
    'reconstruction.remove_sky': FUSION,
    'reconstruction.remove_edges': FUSION,
    'reconstruction.record_seconds':
        'ros/test_reconstruct_services.py::test_a_recording_without_images_or_camera_says_so',
    'reconstruction.record_camera':
        'ros/test_reconstruct_services.py::test_a_recording_without_images_or_camera_says_so',
    'reconstruction.record_keyframes':
        'ros/test_reconstruct_services.py::test_a_recording_is_published_latched_and_written',
    'reconstruction.folder':
        'ros/test_reconstruct_services.py::test_a_recording_is_published_latched_and_written',
    'reconstruction.show_cameras': 'reconstruction/test_fusion.py::'
                                   'test_the_rooms_of_the_depth_and_camera_settings_are_kept',
}
