"""Questions of whoever operates the room: does it live, is it ready, how much is there to do?"""
