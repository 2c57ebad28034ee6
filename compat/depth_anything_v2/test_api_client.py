"""
The seed's test script: health, point cloud, metric and relative depth of a picture.

``python test_api_client.py photo.jpg [name]``; the server is the entry ``name`` of
config/servers.yaml. Plots when matplotlib is there.
"""

from pathlib import Path
import sys

from client.depth_client import (
    decode_depth_map,
    decode_pointcloud,
    encode_image,
    get_health,
    predict_metric_depth,
    predict_pointcloud,
    predict_relative_depth,
)
import yaml


def main(image_path, name='depth-anything-3-local'):
    """Ask for everything and say what came."""
    servers = yaml.safe_load(Path(__file__).with_name('config').joinpath('servers.yaml').read_text(
        encoding='utf-8'))
    server = {key: servers[name][key] for key in ('base_url', 'api_key')}
    image = encode_image(image_path)
    print('health', get_health(**server))
    camera = {'fx': 1000.0, 'fy': 1000.0, 'cx': 640.0, 'cy': 480.0}
    cloud = predict_pointcloud(image=image, camera_intrinsics=camera, max_depth=20.0, **server)
    points = decode_pointcloud(cloud['pointcloud'], cloud['shape'])
    print('points', points.shape, cloud['law'])
    metric = predict_metric_depth(image=image, camera_intrinsics=camera, max_depth=20.0, **server)
    relative = predict_relative_depth(image=image, camera_intrinsics=camera, **server)
    maps = {'metric': metric, 'relative': relative}
    for title, reply in maps.items():
        print(title, reply['shape'], reply['min'], reply['max'], reply['units'])
    try:
        from matplotlib import pyplot
    except ImportError:
        return
    figure, axes = pyplot.subplots(1, len(maps))
    for axis, (title, reply) in zip(axes, maps.items()):
        axis.imshow(decode_depth_map(reply['depth_map']))
        axis.set_title(title)
    figure.savefig('depth.png')


if __name__ == '__main__':
    main(*sys.argv[1:])
